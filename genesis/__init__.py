"""Genesis: a deep-learning framework whose devices, optimizers and schedules are plugins.

Every public name is imported when it is first used, so `import genesis` costs a few milliseconds.
"""

from __future__ import annotations

import sys

from genesis._lazy import Finder, attach

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from genesis import autograd as autograd
    from genesis import backend as backend
    from genesis import checkpoint as checkpoint
    from genesis import data as data
    from genesis import nn as nn
    from genesis import ops as ops
    from genesis import optim as optim
    from genesis import plugin as plugin
    from genesis import testing as testing
    from genesis._device import device as device
    from genesis._device import get_default_device as get_default_device
    from genesis._device import set_default_device as set_default_device
    from genesis._dtypes import bool_ as bool
    from genesis._dtypes import default_dtype as get_default_dtype
    from genesis._dtypes import dtype as dtype
    from genesis._dtypes import float32 as float
    from genesis._dtypes import float32 as float32
    from genesis._dtypes import float64 as double
    from genesis._dtypes import float64 as float64
    from genesis._dtypes import int8 as int8
    from genesis._dtypes import int16 as int16
    from genesis._dtypes import int16 as short
    from genesis._dtypes import int32 as int
    from genesis._dtypes import int32 as int32
    from genesis._dtypes import int64 as int64
    from genesis._dtypes import int64 as long
    from genesis._dtypes import promote_types as promote_types
    from genesis._dtypes import set_default_dtype as set_default_dtype
    from genesis._dtypes import uint8 as uint8
    from genesis._errors import AmbiguousNameError as AmbiguousNameError
    from genesis._errors import CheckpointError as CheckpointError
    from genesis._errors import DataError as DataError
    from genesis._errors import DeviceError as DeviceError
    from genesis._errors import GenesisError as GenesisError
    from genesis._errors import PluginError as PluginError
    from genesis._errors import PluginWarning as PluginWarning
    from genesis._errors import ShapeError as ShapeError
    from genesis._errors import UnknownNameError as UnknownNameError
    from genesis._random import Generator as Generator
    from genesis._random import get_rng_state as get_rng_state
    from genesis._random import initial_seed as initial_seed
    from genesis._random import manual_seed as manual_seed
    from genesis._random import seed as seed
    from genesis._random import set_rng_state as set_rng_state
    from genesis._tensor import Size as Size
    from genesis._tensor import Tensor as Tensor
    from genesis.autograd.grad_mode import enable_grad as enable_grad
    from genesis.autograd.grad_mode import inference_mode as inference_mode
    from genesis.autograd.grad_mode import is_grad_enabled as is_grad_enabled
    from genesis.autograd.grad_mode import no_grad as no_grad
    from genesis.autograd.grad_mode import set_grad_enabled as set_grad_enabled
    from genesis.checkpoint import load_checkpoint as load
    from genesis.checkpoint import load_checkpoint as load_checkpoint
    from genesis.checkpoint import save_checkpoint as save
    from genesis.checkpoint import save_checkpoint as save_checkpoint
    from genesis.ops.activation import relu as relu
    from genesis.ops.activation import sigmoid as sigmoid
    from genesis.ops.batch_norm import batch_norm as batch_norm
    from genesis.ops.batch_norm import instance_norm as instance_norm
    from genesis.ops.convolution import conv1d as conv1d
    from genesis.ops.convolution import conv2d as conv2d
    from genesis.ops.convolution import conv3d as conv3d
    from genesis.ops.convolution import conv_transpose1d as conv_transpose1d
    from genesis.ops.convolution import conv_transpose2d as conv_transpose2d
    from genesis.ops.convolution import conv_transpose3d as conv_transpose3d
    from genesis.ops.creation import arange as arange
    from genesis.ops.creation import as_tensor as as_tensor
    from genesis.ops.creation import empty as empty
    from genesis.ops.creation import empty_like as empty_like
    from genesis.ops.creation import eye as eye
    from genesis.ops.creation import from_dlpack as from_dlpack
    from genesis.ops.creation import from_numpy as from_numpy
    from genesis.ops.creation import full as full
    from genesis.ops.creation import full_like as full_like
    from genesis.ops.creation import linspace as linspace
    from genesis.ops.creation import ones as ones
    from genesis.ops.creation import ones_like as ones_like
    from genesis.ops.creation import tensor as tensor
    from genesis.ops.creation import tril as tril
    from genesis.ops.creation import triu as triu
    from genesis.ops.creation import zeros as zeros
    from genesis.ops.creation import zeros_like as zeros_like
    from genesis.ops.elementwise import abs as abs
    from genesis.ops.elementwise import abs as absolute
    from genesis.ops.elementwise import add as add
    from genesis.ops.elementwise import addcdiv as addcdiv
    from genesis.ops.elementwise import addcmul as addcmul
    from genesis.ops.elementwise import atanh as atanh
    from genesis.ops.elementwise import bitwise_and as bitwise_and
    from genesis.ops.elementwise import bitwise_left_shift as bitwise_left_shift
    from genesis.ops.elementwise import bitwise_not as bitwise_not
    from genesis.ops.elementwise import bitwise_or as bitwise_or
    from genesis.ops.elementwise import bitwise_right_shift as bitwise_right_shift
    from genesis.ops.elementwise import bitwise_xor as bitwise_xor
    from genesis.ops.elementwise import ceil as ceil
    from genesis.ops.elementwise import clamp as clamp
    from genesis.ops.elementwise import clamp as clip
    from genesis.ops.elementwise import cos as cos
    from genesis.ops.elementwise import cosh as cosh
    from genesis.ops.elementwise import div as div
    from genesis.ops.elementwise import div as divide
    from genesis.ops.elementwise import eq as eq
    from genesis.ops.elementwise import erf as erf
    from genesis.ops.elementwise import exp as exp
    from genesis.ops.elementwise import exp2 as exp2
    from genesis.ops.elementwise import expm1 as expm1
    from genesis.ops.elementwise import floor as floor
    from genesis.ops.elementwise import floor_divide as floor_divide
    from genesis.ops.elementwise import ge as ge
    from genesis.ops.elementwise import gt as gt
    from genesis.ops.elementwise import isfinite as isfinite
    from genesis.ops.elementwise import isinf as isinf
    from genesis.ops.elementwise import isnan as isnan
    from genesis.ops.elementwise import le as le
    from genesis.ops.elementwise import lerp as lerp
    from genesis.ops.elementwise import log as log
    from genesis.ops.elementwise import log1p as log1p
    from genesis.ops.elementwise import log2 as log2
    from genesis.ops.elementwise import log10 as log10
    from genesis.ops.elementwise import logical_and as logical_and
    from genesis.ops.elementwise import logical_not as logical_not
    from genesis.ops.elementwise import logical_or as logical_or
    from genesis.ops.elementwise import logical_xor as logical_xor
    from genesis.ops.elementwise import lt as lt
    from genesis.ops.elementwise import masked_fill as masked_fill
    from genesis.ops.elementwise import maximum as maximum
    from genesis.ops.elementwise import minimum as minimum
    from genesis.ops.elementwise import mul as mul
    from genesis.ops.elementwise import mul as multiply
    from genesis.ops.elementwise import nan_to_num as nan_to_num
    from genesis.ops.elementwise import ne as ne
    from genesis.ops.elementwise import neg as neg
    from genesis.ops.elementwise import pow as pow
    from genesis.ops.elementwise import reciprocal as reciprocal
    from genesis.ops.elementwise import remainder as remainder
    from genesis.ops.elementwise import round as round
    from genesis.ops.elementwise import rsqrt as rsqrt
    from genesis.ops.elementwise import sign as sign
    from genesis.ops.elementwise import sin as sin
    from genesis.ops.elementwise import sinh as sinh
    from genesis.ops.elementwise import sqrt as sqrt
    from genesis.ops.elementwise import square as square
    from genesis.ops.elementwise import sub as sub
    from genesis.ops.elementwise import sub as subtract
    from genesis.ops.elementwise import tan as tan
    from genesis.ops.elementwise import tanh as tanh
    from genesis.ops.elementwise import true_divide as true_divide
    from genesis.ops.elementwise import trunc as trunc
    from genesis.ops.elementwise import where as where
    from genesis.ops.group_norm import group_norm as group_norm
    from genesis.ops.group_norm import rms_norm as rms_norm
    from genesis.ops.indexing import argsort as argsort
    from genesis.ops.indexing import gather as gather
    from genesis.ops.indexing import index_add as index_add
    from genesis.ops.indexing import index_select as index_select
    from genesis.ops.indexing import masked_select as masked_select
    from genesis.ops.indexing import nonzero as nonzero
    from genesis.ops.indexing import scatter as scatter
    from genesis.ops.indexing import scatter_add as scatter_add
    from genesis.ops.indexing import sort as sort
    from genesis.ops.indexing import topk as topk
    from genesis.ops.linalg import addmm as addmm
    from genesis.ops.linalg import bmm as bmm
    from genesis.ops.linalg import dot as dot
    from genesis.ops.linalg import matmul as matmul
    from genesis.ops.linalg import mm as mm
    from genesis.ops.linalg import outer as outer
    from genesis.ops.normalization import dropout as dropout
    from genesis.ops.normalization import layer_norm as layer_norm
    from genesis.ops.normalization import log_softmax as log_softmax
    from genesis.ops.normalization import softmax as softmax
    from genesis.ops.padding import constant_pad_nd as constant_pad_nd
    from genesis.ops.piecewise import celu as celu
    from genesis.ops.piecewise import celu_ as celu_
    from genesis.ops.piecewise import hardshrink as hardshrink
    from genesis.ops.piecewise import prelu as prelu
    from genesis.ops.piecewise import relu_ as relu_
    from genesis.ops.piecewise import rrelu as rrelu
    from genesis.ops.piecewise import rrelu_ as rrelu_
    from genesis.ops.piecewise import selu as selu
    from genesis.ops.piecewise import selu_ as selu_
    from genesis.ops.piecewise import threshold as threshold
    from genesis.ops.piecewise import threshold_ as threshold_
    from genesis.ops.random import bernoulli as bernoulli
    from genesis.ops.random import multinomial as multinomial
    from genesis.ops.random import normal as normal
    from genesis.ops.random import rand as rand
    from genesis.ops.random import rand_like as rand_like
    from genesis.ops.random import randint as randint
    from genesis.ops.random import randn as randn
    from genesis.ops.random import randn_like as randn_like
    from genesis.ops.random import randperm as randperm
    from genesis.ops.reduction import all as all
    from genesis.ops.reduction import amax as amax
    from genesis.ops.reduction import amin as amin
    from genesis.ops.reduction import any as any
    from genesis.ops.reduction import argmax as argmax
    from genesis.ops.reduction import argmin as argmin
    from genesis.ops.reduction import cumprod as cumprod
    from genesis.ops.reduction import cumsum as cumsum
    from genesis.ops.reduction import logsumexp as logsumexp
    from genesis.ops.reduction import max as max
    from genesis.ops.reduction import mean as mean
    from genesis.ops.reduction import min as min
    from genesis.ops.reduction import norm as norm
    from genesis.ops.reduction import prod as prod
    from genesis.ops.reduction import std as std
    from genesis.ops.reduction import sum as sum
    from genesis.ops.reduction import var as var
    from genesis.ops.shape import cat as cat
    from genesis.ops.shape import cat as concat
    from genesis.ops.shape import chunk as chunk
    from genesis.ops.shape import clone as clone
    from genesis.ops.shape import flatten as flatten
    from genesis.ops.shape import flip as flip
    from genesis.ops.shape import movedim as movedim
    from genesis.ops.shape import narrow as narrow
    from genesis.ops.shape import permute as permute
    from genesis.ops.shape import repeat_interleave as repeat_interleave
    from genesis.ops.shape import reshape as reshape
    from genesis.ops.shape import roll as roll
    from genesis.ops.shape import select as select
    from genesis.ops.shape import split as split
    from genesis.ops.shape import squeeze as squeeze
    from genesis.ops.shape import stack as stack
    from genesis.ops.shape import t as t
    from genesis.ops.shape import transpose as transpose
    from genesis.ops.shape import unbind as unbind
    from genesis.ops.shape import unflatten as unflatten
    from genesis.ops.shape import unsqueeze as unsqueeze
    from genesis.plugin import list_backends as list_backends
    from genesis.plugin import list_kernels as list_kernels
    from genesis.plugin import list_optimizers as list_optimizers
    from genesis.plugin import list_schedulers as list_schedulers

_MODULES = ("autograd", "backend", "checkpoint", "data", "nn", "ops", "optim", "plugin", "testing")

_NAMES = {
    "genesis._errors": (
        "AmbiguousNameError",
        "CheckpointError",
        "DataError",
        "DeviceError",
        "GenesisError",
        "PluginError",
        "PluginWarning",
        "ShapeError",
        "UnknownNameError",
    ),
    "genesis._device": (
        "device",
        "get_default_device",
        "set_default_device",
    ),
    "genesis._dtypes": (
        "dtype",
        "float32",
        "float64",
        "int16",
        "int32",
        "int64",
        "int8",
        "promote_types",
        "set_default_dtype",
        "uint8",
    ),
    "genesis._random": (
        "Generator",
        "get_rng_state",
        "initial_seed",
        "manual_seed",
        "seed",
        "set_rng_state",
    ),
    "genesis._tensor": (
        "Size",
        "Tensor",
    ),
    "genesis.autograd.grad_mode": (
        "enable_grad",
        "inference_mode",
        "is_grad_enabled",
        "no_grad",
        "set_grad_enabled",
    ),
    "genesis.checkpoint": (
        "load_checkpoint",
        "save_checkpoint",
    ),
    "genesis.ops.activation": (
        "relu",
        "sigmoid",
    ),
    "genesis.ops.batch_norm": (
        "batch_norm",
        "instance_norm",
    ),
    "genesis.ops.convolution": (
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
    ),
    "genesis.ops.creation": (
        "arange",
        "as_tensor",
        "empty",
        "empty_like",
        "eye",
        "from_dlpack",
        "from_numpy",
        "full",
        "full_like",
        "linspace",
        "ones",
        "ones_like",
        "tensor",
        "tril",
        "triu",
        "zeros",
        "zeros_like",
    ),
    "genesis.ops.elementwise": (
        "abs",
        "add",
        "addcdiv",
        "addcmul",
        "atanh",
        "bitwise_and",
        "bitwise_left_shift",
        "bitwise_not",
        "bitwise_or",
        "bitwise_right_shift",
        "bitwise_xor",
        "ceil",
        "clamp",
        "cos",
        "cosh",
        "div",
        "eq",
        "erf",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "floor_divide",
        "ge",
        "gt",
        "isfinite",
        "isinf",
        "isnan",
        "le",
        "lerp",
        "log",
        "log10",
        "log1p",
        "log2",
        "logical_and",
        "logical_not",
        "logical_or",
        "logical_xor",
        "lt",
        "masked_fill",
        "maximum",
        "minimum",
        "mul",
        "nan_to_num",
        "ne",
        "neg",
        "pow",
        "reciprocal",
        "remainder",
        "round",
        "rsqrt",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "sub",
        "tan",
        "tanh",
        "true_divide",
        "trunc",
        "where",
    ),
    "genesis.ops.group_norm": (
        "group_norm",
        "rms_norm",
    ),
    "genesis.ops.indexing": (
        "argsort",
        "gather",
        "index_add",
        "index_select",
        "masked_select",
        "nonzero",
        "scatter",
        "scatter_add",
        "sort",
        "topk",
    ),
    "genesis.ops.linalg": (
        "addmm",
        "bmm",
        "dot",
        "matmul",
        "mm",
        "outer",
    ),
    "genesis.ops.normalization": (
        "dropout",
        "layer_norm",
        "log_softmax",
        "softmax",
    ),
    "genesis.ops.padding": ("constant_pad_nd",),
    "genesis.ops.piecewise": (
        "celu",
        "celu_",
        "hardshrink",
        "prelu",
        "relu_",
        "rrelu",
        "rrelu_",
        "selu",
        "selu_",
        "threshold",
        "threshold_",
    ),
    "genesis.ops.random": (
        "bernoulli",
        "multinomial",
        "normal",
        "rand",
        "rand_like",
        "randint",
        "randn",
        "randn_like",
        "randperm",
    ),
    "genesis.ops.reduction": (
        "all",
        "amax",
        "amin",
        "any",
        "argmax",
        "argmin",
        "cumprod",
        "cumsum",
        "logsumexp",
        "max",
        "mean",
        "min",
        "norm",
        "prod",
        "std",
        "sum",
        "var",
    ),
    "genesis.ops.shape": (
        "cat",
        "chunk",
        "clone",
        "flatten",
        "flip",
        "movedim",
        "narrow",
        "permute",
        "repeat_interleave",
        "reshape",
        "roll",
        "select",
        "split",
        "squeeze",
        "stack",
        "t",
        "transpose",
        "unbind",
        "unflatten",
        "unsqueeze",
    ),
    "genesis.plugin": ("list_backends", "list_kernels", "list_optimizers", "list_schedulers"),
}

#: other names of the same things
_ALIASES = {
    "absolute": "genesis.ops.elementwise:abs",
    "bool": "genesis._dtypes:bool_",
    "clip": "genesis.ops.elementwise:clamp",
    "concat": "genesis.ops.shape:cat",
    "divide": "genesis.ops.elementwise:div",
    "double": "genesis._dtypes:float64",
    "float": "genesis._dtypes:float32",
    "get_default_dtype": "genesis._dtypes:default_dtype",
    "int": "genesis._dtypes:int32",
    "load": "genesis.checkpoint:load_checkpoint",
    "long": "genesis._dtypes:int64",
    "multiply": "genesis.ops.elementwise:mul",
    "save": "genesis.checkpoint:save_checkpoint",
    "short": "genesis._dtypes:int16",
    "subtract": "genesis.ops.elementwise:sub",
}

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.{name}" for name in _MODULES},
        **{name: f"{module}:{name}" for module, names in _NAMES.items() for name in names},
        **_ALIASES,
    },
)

if Finder not in sys.meta_path:
    sys.meta_path.append(Finder)
