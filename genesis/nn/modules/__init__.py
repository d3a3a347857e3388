"""PyTorch's places of layers: ``genesis.nn.modules.linear.Linear`` is ``genesis.nn.Linear``.

Code that imports a layer, or a base class for an ``isinstance``, from ``torch.nn.modules.…`` finds it here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from genesis._lazy import no_attribute

#: a module of PyTorch's -> ours that define its classes
_SOURCES = {
    "activation": ("activation", "piecewise", "attention"),
    "adaptive": ("adaptive",),
    "batchnorm": ("batchnorm",),
    "channelshuffle": (),
    "container": ("container", "parameters"),
    "conv": ("convolution",),
    "distance": ("loss_margin",),
    "dropout": ("dropout",),
    "flatten": ("shape",),
    "fold": (),
    "instancenorm": ("batchnorm",),
    "linear": ("linear", "lazy"),
    "loss": ("loss", "loss_pointwise", "loss_margin"),
    "normalization": ("normalization",),
    "padding": ("padding",),
    "pixelshuffle": (),
    "pooling": ("pooling",),
    "rnn": ("recurrent", "recurrent_cells"),
    "sparse": ("embedding",),
    "transformer": ("transformer",),
    "upsampling": (),
}
#: PyTorch's names of base classes -> ours
_RENAMED = {
    "_ConstantPadNd": "_ConstantPad",
    "_ConvNd": "_Convolution",
    "_ConvTransposeNd": "_ConvTranspose",
    "_NormBase": "_Norm",
}


class _Family(ModuleType):
    """A module that looks its names up in ``genesis.nn.layers`` and ``genesis.nn``."""

    def __init__(self, name: str, sources: tuple[str, ...]) -> None:
        super().__init__(f"{__name__}.{name}", f"PyTorch's place of the layers of `{name}`.")
        self._sources = sources

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for source in self._sources:
            try:
                module = import_module(f"genesis.nn.layers.{source}")
            except ModuleNotFoundError:
                continue
            if _RENAMED.get(name, name) in vars(module):
                return vars(module)[_RENAMED.get(name, name)]
        public = vars(sys.modules["genesis.nn"])
        if not name.startswith("_") and name in public:
            return public[name]
        raise no_attribute(self.__name__, name, public)


for _name, _files in _SOURCES.items():
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _Family(_name, _files)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("module", "utils"):
        return import_module(f"{__name__}.{name}")
    public = vars(sys.modules["genesis.nn"])
    if name in public:
        return public[name]
    raise no_attribute(__name__, name, public)
