"""Write genesis/_missing/torch_names.txt: the public names of PyTorch's modules and classes.

    python tests/parity/make_torch_names.py

A line is a module or class. Genesis reads it when it does not have a name, to say what to do instead.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType

TARGET = Path(__file__).parents[2] / "genesis/_missing/torch_names.txt"

MODULES = [
    ".",
    "accelerator",
    "amp",
    "ao",
    "autograd",
    "autograd.forward_ad",
    "autograd.function",
    "autograd.functional",
    "autograd.grad_mode",
    "autograd.gradcheck",
    "autograd.graph",
    "autograd.profiler",
    "backends",
    "backends.cuda",
    "backends.cudnn",
    "backends.mkl",
    "backends.mkldnn",
    "backends.mps",
    "backends.openmp",
    "compiler",
    "cpu",
    "cpu.amp",
    "cuda",
    "cuda.amp",
    "distributed",
    "distributions",
    "export",
    "fft",
    "func",
    "futures",
    "fx",
    "hub",
    "jit",
    "library",
    "linalg",
    "masked",
    "monitor",
    "mps",
    "multiprocessing",
    "nested",
    "nn",
    "nn.attention",
    "nn.functional",
    "nn.init",
    "nn.modules",
    "nn.parallel",
    "nn.parameter",
    "nn.quantized",
    "nn.utils",
    "nn.utils.parametrizations",
    "nn.utils.parametrize",
    "nn.utils.prune",
    "nn.utils.rnn",
    "nn.utils.stateless",
    "onnx",
    "optim",
    "optim.lr_scheduler",
    "optim.optimizer",
    "optim.swa_utils",
    "overrides",
    "package",
    "profiler",
    "quantization",
    "random",
    "serialization",
    "signal",
    "sparse",
    "special",
    "storage",
    "testing",
    "torch_version",
    "types",
    "utils",
    "utils.benchmark",
    "utils.bottleneck",
    "utils.bundled_inputs",
    "utils.checkpoint",
    "utils.collect_env",
    "utils.cpp_extension",
    "utils.data",
    "utils.data.dataloader",
    "utils.data.dataset",
    "utils.data.distributed",
    "utils.data.sampler",
    "utils.deterministic",
    "utils.dlpack",
    "utils.flop_counter",
    "utils.hooks",
    "utils.mobile_optimizer",
    "utils.model_zoo",
    "utils.tensorboard",
    "utils.weak",
    "version",
    "xpu",
]
CLASSES = ("Tensor", "nn.Module", "optim.Optimizer", "device", "dtype", "Generator", "Size")


STRANGERS = {"typing", "typing_extensions", "torch", *sys.stdlib_module_names}


def foreign(value: object) -> bool:
    """True for what a module only imports: parts of the standard library, type variables, torch itself."""
    if isinstance(value, ModuleType):
        return value.__name__ in STRANGERS
    home = getattr(value, "__module__", None)
    if isinstance(value, bool) or type(value).__module__.startswith("typing"):
        return True
    return isinstance(home, str) and home != "builtins" and home.partition(".")[0] in STRANGERS - {"torch"}


def names(thing: object) -> list[str]:
    found = set(getattr(thing, "__all__", []))
    found |= {n for n in dir(thing) if not foreign(getattr(thing, n, None))}
    return sorted(n for n in found if not n.startswith("_"))


def text() -> str:
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in MODULES:
            try:
                module = import_module("torch" if path == "." else f"torch.{path}")
            except ImportError:  # needs a package that is not here, or another system
                continue
            lines.append(f"{'' if path == '.' else path}: {' '.join(names(module))}")
        torch = import_module("torch")
        for path in CLASSES:
            thing: object = torch
            for part in path.split("."):
                thing = getattr(thing, part)
            lines.append(f"{path}: {' '.join(names(thing))}")
    return "\n".join(sorted(lines)) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
    print(f"{TARGET}: {sum(len(line.split()) - 1 for line in text().splitlines())} names")
