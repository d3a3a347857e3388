"""What scripts for PyTorch ask and set besides tensors, layers and optimizers."""

from __future__ import annotations

import pickle
import warnings

import pytest

import genesis
from genesis import nn


@pytest.mark.parametrize(
    "statement",
    [
        "import genesis.backends.cudnn as cudnn; cudnn.benchmark = True; assert "
        "genesis.backends.cudnn.benchmark",
        "import genesis.backends.cuda; genesis.backends.cuda.matmul.allow_tf32 = True",
        "import genesis.utils.data as d; import genesis.data; assert d is genesis.data",
        "from genesis.utils.data import DataLoader, Dataset, TensorDataset",
        "from genesis.utils.checkpoint import checkpoint, checkpoint_sequential",
        "from genesis.cuda.amp import GradScaler, autocast, custom_bwd, custom_fwd",
        "from genesis.amp import GradScaler, autocast",
        "from genesis.autograd import Function, Variable, gradcheck",
        "from genesis.autograd.function import once_differentiable",
        "from genesis.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp",
        "from genesis.autograd.graph import save_on_cpu, saved_tensors_hooks",
        "from genesis.func import functional_call, grad, grad_and_value, hessian, jacrev, vjp, vmap",
        "from genesis.profiler import ProfilerActivity, profile, record_function, schedule",
        "from genesis.optim.lr_scheduler import LambdaLR, LRScheduler",
        "from genesis.random import fork_rng",
        "from genesis.types import Device, Number",
        "import genesis.distributed as dist; assert dist.is_available() and not dist.is_initialized()",
        "import genesis.multiprocessing as mp; mp.get_start_method()",
        "from genesis.version import __version__",
    ],
)
def test_imports(statement: str) -> None:
    exec(statement, {"genesis": genesis})


def test_devices_that_are_not_there() -> None:
    assert not genesis.cuda.is_available()
    assert not genesis.backends.mps.is_available()
    assert not genesis.mps.is_available()
    assert not genesis.xpu.is_available()
    assert genesis.cuda.device_count() == 0
    device = genesis.device("cuda" if genesis.cuda.is_available() else "cpu")
    assert device.type == "cpu"
    genesis.cuda.manual_seed(0)
    genesis.cuda.manual_seed_all(0)
    genesis.cuda.empty_cache()
    assert genesis.cuda.max_memory_allocated() == 0
    for call in (genesis.cuda.synchronize, genesis.cuda.current_device, genesis.cuda.get_device_name):
        with pytest.raises(genesis.DeviceError, match="no device 'cuda' can be used"):
            call()
    for call in (genesis.cuda.Stream, genesis.cuda.current_stream, genesis.cuda.Event().record):
        with pytest.raises(genesis.DeviceError, match="device 'cuda'"):
            call()
    assert genesis.cuda.Event().query()
    assert genesis.ones(2).pin_memory().is_pinned() == (genesis.accelerator.is_available())
    accelerator = genesis.accelerator.current_accelerator()
    assert genesis.accelerator.is_available() == (accelerator is not None)


def test_a_device_can_be_named_before_it_is_there() -> None:
    device = genesis.device("cuda:1")
    assert (device.type, device.index, str(device)) == ("cuda", 1, "cuda:1")
    assert device == genesis.device("cuda", 1)
    assert pickle.loads(pickle.dumps(device)) is device
    with pytest.raises(genesis.DeviceError, match="device 'cuda'"):
        genesis.ones(2, device=device)
    with pytest.raises(genesis.DeviceError, match="device 'cuda'"):
        nn.Linear(2, 2).to(device)
    with pytest.raises(RuntimeError, match="not negative"):
        genesis.device("cuda", -1)


def test_a_device_as_a_context() -> None:
    with genesis.device("ref"):
        assert genesis.ones(2).device == "ref"
        with genesis.device("cpu"):
            assert genesis.get_default_device() == "cpu"
        assert nn.Linear(2, 2).weight.device == "ref"
    assert genesis.ones(2).device == genesis.get_default_device()


def test_threads() -> None:
    before = genesis.get_num_threads()
    try:
        genesis.set_num_threads(1)
        assert genesis.get_num_threads() == 1
        genesis.set_num_threads(before + 3)  # more than there are cores
        assert genesis.get_num_threads() == before + 3
        with pytest.raises(RuntimeError, match="positive"):
            genesis.set_num_threads(0)
        with pytest.raises(TypeError, match="int"):
            genesis.set_num_threads(2.0)
    finally:
        genesis.set_num_threads(before)
    assert genesis.device("ref").backend.get_num_threads() == 1
    genesis.set_num_interop_threads(2)
    assert genesis.get_num_interop_threads() == 2


def test_switches() -> None:
    genesis.use_deterministic_algorithms(True, warn_only=True)
    assert genesis.are_deterministic_algorithms_enabled()
    assert genesis.get_deterministic_debug_mode() == 1
    genesis.set_deterministic_debug_mode("default")
    assert not genesis.are_deterministic_algorithms_enabled()
    genesis.set_float32_matmul_precision("high")
    assert genesis.get_float32_matmul_precision() == "high"
    with pytest.raises(RuntimeError, match="precision"):
        genesis.set_float32_matmul_precision("low")
    assert genesis.set_flush_denormal(True) is False
    with genesis.backends.cudnn.flags(enabled=False):
        assert not genesis.backends.cudnn.enabled
    assert genesis.backends.cudnn.enabled
    before = genesis.get_default_dtype()
    try:
        genesis.set_default_tensor_type("torch.DoubleTensor")
        assert genesis.ones(1).dtype is genesis.float64
        with pytest.raises(TypeError, match="floating-point"):
            genesis.set_default_tensor_type("torch.LongTensor")
    finally:
        genesis.set_default_dtype(before)


def test_compile_changes_nothing() -> None:
    model = nn.Linear(2, 1)
    assert genesis.compile(model, mode="reduce-overhead", fullgraph=True) is model

    @genesis.compile(dynamic=True, backend="eager", options={})
    def double(x: int) -> int:
        return 2 * x

    @genesis.compile
    def triple(x: int) -> int:
        return 3 * x

    assert (double(2), triple(2)) == (4, 6)


def test_autocast_for_a_device_that_is_not_there() -> None:
    for make in (lambda: genesis.autocast("cuda"), genesis.cuda.amp.autocast):
        with pytest.warns(UserWarning, match="CUDA is not available. Disabling autocast"), make():  # type: ignore[operator]
            assert not genesis.is_autocast_enabled("cuda")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert genesis.autocast("cuda", enabled=False)(len)([1]) == 1


def test_a_scaler_that_is_on_changes_no_step() -> None:
    def trained(scaler: genesis.amp.GradScaler) -> list[float]:
        genesis.manual_seed(0)
        model = nn.Linear(3, 1)
        optimizer = genesis.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            scaler.scale(model(genesis.ones(2, 3)).square().mean()).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        return model.weight.tolist()

    on, off = genesis.amp.GradScaler("cpu", growth_interval=2), genesis.amp.GradScaler(enabled=False)
    assert trained(on) == trained(off)
    assert (on.get_scale(), off.get_scale()) == (2.0**17, 1.0)
    assert off.state_dict() == {}
    other = genesis.amp.GradScaler("cpu")
    other.load_state_dict(on.state_dict())
    assert other.get_scale() == 2.0**17
    with pytest.warns(UserWarning, match="cuda is not available. Disabling"):
        assert not genesis.cuda.amp.GradScaler().is_enabled()


def test_a_scaler_leaves_out_a_bad_step() -> None:
    w = nn.Parameter(genesis.ones(2))
    optimizer, scaler = genesis.optim.SGD([w], lr=0.1), genesis.amp.GradScaler("cpu")
    scaler.scale((w * genesis.tensor([1.0, float("inf")])).sum()).backward()
    assert scaler.step(optimizer) is None
    assert w.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0**15


def test_forked_random_numbers() -> None:
    genesis.manual_seed(0)
    with genesis.random.fork_rng():
        inside = genesis.rand(2).tolist()
    assert genesis.rand(2).tolist() == inside


def test_the_profiler_times_named_parts(tmp_path) -> None:
    from genesis.profiler import profile, record_function, schedule, tensorboard_trace_handler

    @record_function("inner")
    def work() -> None:
        sum(range(100))

    options = {"activities": [genesis.profiler.ProfilerActivity.CPU], "record_shapes": True}
    with profile(**options) as p, record_function("outer"):
        work()
        work()
    averages = {a.key: a.count for a in p.key_averages()}
    assert averages == {"outer": 1, "inner": 2}
    assert "outer" in p.key_averages().table(sort_by="cpu_time_total", row_limit=5)
    cycle = schedule(wait=1, warmup=1, active=2, repeat=1)
    with profile(schedule=cycle, on_trace_ready=tensorboard_trace_handler(str(tmp_path))) as p:
        for _ in range(6):
            work()
            p.step()
    (trace,) = tmp_path.iterdir()
    assert trace.read_text().count('"inner"') == 2
    work()  # nobody listens


def test_names_of_types() -> None:
    assert genesis.typename(3) == "int"
    assert genesis.typename(nn.Linear(1, 1)) == "genesis.nn.layers.linear.Linear"
    assert not genesis.is_storage(genesis.ones(1))
