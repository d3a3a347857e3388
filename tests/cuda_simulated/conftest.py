"""The device `cuda` in Numba's simulator: every thread of a kernel is a Python function on the host.

Run as `pytest tests/cuda_simulated`, in a process of its own: the simulator is chosen when Numba is imported.
`GENESIS_TEST_GPU=1` runs them on a GPU instead, in full size, but for those that are marked `simulated`: they
look into the stand-in for the driver, or ask for two GPUs.
"""

from __future__ import annotations

import os
import sys

GPU = os.environ.get("GENESIS_TEST_GPU") == "1"
if not GPU:
    os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
    sys.setswitchinterval(1e-4)  # threads that wait for each other are then woken sooner

from genesis.testing.backend_checks import (  # noqa: E402
    _expressions,
    _kernels,
    _map,
    _matmul,
    _memory,
    _norms,
    _steps,
    _updates,
)


def pytest_collection_modifyitems(config, items):
    if not GPU:
        return
    left_out = [item for item in items if item.get_closest_marker("simulated")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _small(make, most):
    return lambda: [s for s in make() if all(x is None or x.size <= most for x in s.inputs)]


if not GPU:
    # enough for several blocks, and no multiple of anything: a simulated thread takes microseconds for one
    _map.LARGE = _expressions.LARGE = _memory.LARGE = 1003
    _matmul.SIZES = ((1, 1, 1), (3, 17, 5), (1, 30, 7), (9, 1, 7), (7, 9, 1), (8, 8, 8), (9, 5, 13))
    _matmul.LARGE = (19, 23, 17)
    _matmul.PLACED, _matmul.MANY, _matmul.AGAIN = ((5, 7, 6), (9, 11, 10)), (3, 5, 6, 7), 15
    _norms.SHAPES = _steps.SHAPES = _updates.SHAPES = ((3, 4), (10,), (9, 13), (), (0, 3))
    for _name, _make in list(_kernels.SAMPLES.items()):
        _kernels.SAMPLES[_name] = _small(_make, 200 if _name == "attention" else 500)


def never_launched() -> list[str]:
    """Kernels that no test of this run has launched."""
    import importlib
    import pkgutil

    import genesis_cuda.fused
    import genesis_cuda.kernels
    from genesis.backend import ALPHABET, REDUCTIONS
    from genesis_cuda import _kernel
    from genesis_cuda.kernels import map as elementwise
    from genesis_cuda.kernels import reduce

    for package in (genesis_cuda.kernels, genesis_cuda.fused):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    wanted = {template(real).name for template in _kernel.templates for real in template.types}
    wanted |= {"map_kernel", "gather_kernel", "scatter_kernel", "check_kernel"}
    for real in ("float32", "float64"):
        steps = ("adam", "adam_amsgrad", "sgd", "sgd_momentum", "sgd_nesterov", "update")
        wanted |= {f"{name}_{real}" for name in steps}
    missing = wanted - _kernel.launched
    missing |= {f"map of {name}" for name in ALPHABET if name not in elementwise.used_names}
    pairs = {(op, kind) for op in REDUCTIONS for kind in ("thread", "block")}
    return sorted(missing | {f"reduce {op} by {kind}" for op, kind in pairs - reduce.used})


def pytest_sessionfinish(session, exitstatus):
    """A run of everything fails when there is a kernel that it never launched."""
    config = session.config
    chosen = config.option.keyword or config.option.markexpr or session.testsfailed
    folders = [os.path.basename(os.path.normpath(a)) for a in config.args]
    if getattr(config.option, "numprocesses", None):  # each process has launched some of them
        return
    if chosen or not session.testscollected or folders != ["cuda_simulated"]:
        return
    missing = never_launched()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line(f"\nkernels that were never launched: {', '.join(missing) or 'none'}")
    if missing:
        session.exitstatus = 1
