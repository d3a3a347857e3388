"""Genesis: a deep-learning framework whose devices, optimizers and schedules are plugins.

Every public name is imported when it is first used, so `import genesis` costs a few milliseconds.
"""

from __future__ import annotations

import sys

from genesis._lazy import Finder, attach

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from math import e as e
    from math import inf as inf
    from math import nan as nan
    from math import pi as pi

    from genesis import accelerator as accelerator
    from genesis import amp as amp
    from genesis import autograd as autograd
    from genesis import backend as backend
    from genesis import backends as backends
    from genesis import checkpoint as checkpoint
    from genesis import compiler as compiler
    from genesis import cpu as cpu
    from genesis import cuda as cuda
    from genesis import data as data
    from genesis import distributed as distributed
    from genesis import distributions as distributions
    from genesis import func as func
    from genesis import jit as jit
    from genesis import linalg as linalg
    from genesis import mps as mps
    from genesis import multiprocessing as multiprocessing
    from genesis import nn as nn
    from genesis import ops as ops
    from genesis import optim as optim
    from genesis import plugin as plugin
    from genesis import profiler as profiler
    from genesis import random as random
    from genesis import signal as signal
    from genesis import special as special
    from genesis import testing as testing
    from genesis import types as types
    from genesis import utils as utils
    from genesis import version as version
    from genesis import xpu as xpu
    from genesis._device import device as device
    from genesis._device import get_default_device as get_default_device
    from genesis._device import set_default_device as set_default_device
    from genesis._dtypes import bfloat16 as bfloat16
    from genesis._dtypes import bool_ as bool
    from genesis._dtypes import can_cast as can_cast
    from genesis._dtypes import cdouble as cdouble
    from genesis._dtypes import cfloat as cfloat
    from genesis._dtypes import chalf as chalf
    from genesis._dtypes import channels_last as channels_last
    from genesis._dtypes import channels_last_3d as channels_last_3d
    from genesis._dtypes import complex32 as complex32
    from genesis._dtypes import complex64 as complex64
    from genesis._dtypes import complex128 as complex128
    from genesis._dtypes import contiguous_format as contiguous_format
    from genesis._dtypes import default_dtype as get_default_dtype
    from genesis._dtypes import dtype as dtype
    from genesis._dtypes import finfo as finfo
    from genesis._dtypes import float8_e4m3fn as float8_e4m3fn
    from genesis._dtypes import float8_e5m2 as float8_e5m2
    from genesis._dtypes import float16 as float16
    from genesis._dtypes import float32 as float
    from genesis._dtypes import float32 as float32
    from genesis._dtypes import float64 as double
    from genesis._dtypes import float64 as float64
    from genesis._dtypes import half as half
    from genesis._dtypes import iinfo as iinfo
    from genesis._dtypes import int8 as int8
    from genesis._dtypes import int16 as int16
    from genesis._dtypes import int16 as short
    from genesis._dtypes import int32 as int
    from genesis._dtypes import int32 as int32
    from genesis._dtypes import int64 as int64
    from genesis._dtypes import int64 as long
    from genesis._dtypes import layout as layout
    from genesis._dtypes import memory_format as memory_format
    from genesis._dtypes import preserve_format as preserve_format
    from genesis._dtypes import promote_types as promote_types
    from genesis._dtypes import set_default_dtype as set_default_dtype
    from genesis._dtypes import strided as strided
    from genesis._dtypes import uint8 as uint8
    from genesis._dtypes import uint16 as uint16
    from genesis._dtypes import uint32 as uint32
    from genesis._dtypes import uint64 as uint64
    from genesis._errors import AmbiguousNameError as AmbiguousNameError
    from genesis._errors import CheckpointError as CheckpointError
    from genesis._errors import DataError as DataError
    from genesis._errors import DeviceError as DeviceError
    from genesis._errors import GenesisError as GenesisError
    from genesis._errors import OutOfMemoryError as OutOfMemoryError
    from genesis._errors import PluginError as PluginError
    from genesis._errors import PluginWarning as PluginWarning
    from genesis._errors import ShapeError as ShapeError
    from genesis._errors import UnknownNameError as UnknownNameError
    from genesis._legacy import BFloat16Tensor as BFloat16Tensor
    from genesis._legacy import BoolTensor as BoolTensor
    from genesis._legacy import ByteTensor as ByteTensor
    from genesis._legacy import CharTensor as CharTensor
    from genesis._legacy import DoubleTensor as DoubleTensor
    from genesis._legacy import FloatTensor as FloatTensor
    from genesis._legacy import HalfTensor as HalfTensor
    from genesis._legacy import IntTensor as IntTensor
    from genesis._legacy import LongTensor as LongTensor
    from genesis._legacy import ShortTensor as ShortTensor
    from genesis._printing import set_printoptions as set_printoptions
    from genesis._random import Generator as Generator
    from genesis._random import default_generator as default_generator
    from genesis._random import get_rng_state as get_rng_state
    from genesis._random import initial_seed as initial_seed
    from genesis._random import manual_seed as manual_seed
    from genesis._random import seed as seed
    from genesis._random import set_rng_state as set_rng_state
    from genesis._settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
    from genesis._settings import compile as compile
    from genesis._settings import get_deterministic_debug_mode as get_deterministic_debug_mode
    from genesis._settings import get_float32_matmul_precision as get_float32_matmul_precision
    from genesis._settings import get_num_interop_threads as get_num_interop_threads
    from genesis._settings import get_num_threads as get_num_threads
    from genesis._settings import (
        is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled,
    )
    from genesis._settings import is_storage as is_storage
    from genesis._settings import is_warn_always_enabled as is_warn_always_enabled
    from genesis._settings import set_default_tensor_type as set_default_tensor_type
    from genesis._settings import set_deterministic_debug_mode as set_deterministic_debug_mode
    from genesis._settings import set_float32_matmul_precision as set_float32_matmul_precision
    from genesis._settings import set_flush_denormal as set_flush_denormal
    from genesis._settings import set_num_interop_threads as set_num_interop_threads
    from genesis._settings import set_num_threads as set_num_threads
    from genesis._settings import set_warn_always as set_warn_always
    from genesis._settings import typename as typename
    from genesis._settings import use_deterministic_algorithms as use_deterministic_algorithms
    from genesis._streams import Event as Event
    from genesis._streams import Stream as Stream
    from genesis._tensor import Size as Size
    from genesis._tensor import Tensor as Tensor
    from genesis.amp import GradScaler as GradScaler
    from genesis.amp import autocast as autocast
    from genesis.amp.autocast_mode import autocast_decrement_nesting as autocast_decrement_nesting
    from genesis.amp.autocast_mode import autocast_increment_nesting as autocast_increment_nesting
    from genesis.amp.autocast_mode import clear_autocast_cache as clear_autocast_cache
    from genesis.amp.autocast_mode import get_autocast_cpu_dtype as get_autocast_cpu_dtype
    from genesis.amp.autocast_mode import get_autocast_dtype as get_autocast_dtype
    from genesis.amp.autocast_mode import get_autocast_gpu_dtype as get_autocast_gpu_dtype
    from genesis.amp.autocast_mode import is_autocast_cache_enabled as is_autocast_cache_enabled
    from genesis.amp.autocast_mode import is_autocast_cpu_enabled as is_autocast_cpu_enabled
    from genesis.amp.autocast_mode import is_autocast_enabled as is_autocast_enabled
    from genesis.amp.autocast_mode import set_autocast_cache_enabled as set_autocast_cache_enabled
    from genesis.amp.autocast_mode import set_autocast_cpu_dtype as set_autocast_cpu_dtype
    from genesis.amp.autocast_mode import set_autocast_cpu_enabled as set_autocast_cpu_enabled
    from genesis.amp.autocast_mode import set_autocast_dtype as set_autocast_dtype
    from genesis.amp.autocast_mode import set_autocast_enabled as set_autocast_enabled
    from genesis.amp.autocast_mode import set_autocast_gpu_dtype as set_autocast_gpu_dtype
    from genesis.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
    from genesis.autograd.anomaly import set_detect_anomaly as set_anomaly_enabled
    from genesis.autograd.grad_mode import enable_grad as enable_grad
    from genesis.autograd.grad_mode import inference_mode as inference_mode
    from genesis.autograd.grad_mode import is_grad_enabled as is_grad_enabled
    from genesis.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
    from genesis.autograd.grad_mode import no_grad as no_grad
    from genesis.autograd.grad_mode import set_grad_enabled as set_grad_enabled
    from genesis.checkpoint import load as load
    from genesis.checkpoint import load_checkpoint as load_checkpoint
    from genesis.checkpoint import save as save
    from genesis.checkpoint import save_checkpoint as save_checkpoint
    from genesis.func import vmap as vmap
    from genesis.ops.activation import relu as relu
    from genesis.ops.activation import sigmoid as sigmoid
    from genesis.ops.arithmetic import angle as angle
    from genesis.ops.arithmetic import copysign as copysign
    from genesis.ops.arithmetic import fill as fill
    from genesis.ops.arithmetic import float_power as float_power
    from genesis.ops.arithmetic import fmax as fmax
    from genesis.ops.arithmetic import fmin as fmin
    from genesis.ops.arithmetic import fmod as fmod
    from genesis.ops.arithmetic import frac as frac
    from genesis.ops.arithmetic import frexp as frexp
    from genesis.ops.arithmetic import gcd as gcd
    from genesis.ops.arithmetic import heaviside as heaviside
    from genesis.ops.arithmetic import lcm as lcm
    from genesis.ops.arithmetic import ldexp as ldexp
    from genesis.ops.arithmetic import nextafter as nextafter
    from genesis.ops.arithmetic import positive as positive
    from genesis.ops.arithmetic import round as round
    from genesis.ops.arithmetic import signbit as signbit
    from genesis.ops.batch_norm import batch_norm as batch_norm
    from genesis.ops.batch_norm import instance_norm as instance_norm
    from genesis.ops.comparison import allclose as allclose
    from genesis.ops.comparison import equal as equal
    from genesis.ops.comparison import isclose as isclose
    from genesis.ops.comparison import isin as isin
    from genesis.ops.comparison import isneginf as isneginf
    from genesis.ops.comparison import isposinf as isposinf
    from genesis.ops.comparison import isreal as isreal
    from genesis.ops.contraction import einsum as einsum
    from genesis.ops.convolution import conv1d as conv1d
    from genesis.ops.convolution import conv2d as conv2d
    from genesis.ops.convolution import conv3d as conv3d
    from genesis.ops.convolution import conv_transpose1d as conv_transpose1d
    from genesis.ops.convolution import conv_transpose2d as conv_transpose2d
    from genesis.ops.convolution import conv_transpose3d as conv_transpose3d
    from genesis.ops.copies import alias_copy as alias_copy
    from genesis.ops.copies import as_strided_copy as as_strided_copy
    from genesis.ops.copies import detach_copy as detach_copy
    from genesis.ops.copies import diagonal_copy as diagonal_copy
    from genesis.ops.copies import expand_copy as expand_copy
    from genesis.ops.copies import permute_copy as permute_copy
    from genesis.ops.copies import select_copy as select_copy
    from genesis.ops.copies import slice_copy as slice_copy
    from genesis.ops.copies import split_copy as split_copy
    from genesis.ops.copies import split_with_sizes_copy as split_with_sizes_copy
    from genesis.ops.copies import squeeze_copy as squeeze_copy
    from genesis.ops.copies import t_copy as t_copy
    from genesis.ops.copies import transpose_copy as transpose_copy
    from genesis.ops.copies import unbind_copy as unbind_copy
    from genesis.ops.copies import unfold_copy as unfold_copy
    from genesis.ops.copies import unsqueeze_copy as unsqueeze_copy
    from genesis.ops.copies import view_copy as view_copy
    from genesis.ops.creation import arange as arange
    from genesis.ops.creation import as_tensor as as_tensor
    from genesis.ops.creation import asarray as asarray
    from genesis.ops.creation import empty as empty
    from genesis.ops.creation import empty_like as empty_like
    from genesis.ops.creation import empty_strided as empty_strided
    from genesis.ops.creation import eye as eye
    from genesis.ops.creation import from_dlpack as from_dlpack
    from genesis.ops.creation import from_numpy as from_numpy
    from genesis.ops.creation import frombuffer as frombuffer
    from genesis.ops.creation import full as full
    from genesis.ops.creation import full_like as full_like
    from genesis.ops.creation import linspace as linspace
    from genesis.ops.creation import ones as ones
    from genesis.ops.creation import ones_like as ones_like
    from genesis.ops.creation import scalar_tensor as scalar_tensor
    from genesis.ops.creation import tensor as tensor
    from genesis.ops.creation import zeros as zeros
    from genesis.ops.creation import zeros_like as zeros_like
    from genesis.ops.decompositions import old_qr as qr
    from genesis.ops.decompositions import old_svd as svd
    from genesis.ops.decompositions import pinverse as pinverse
    from genesis.ops.diagonals import diag as diag
    from genesis.ops.diagonals import diag_embed as diag_embed
    from genesis.ops.diagonals import diagflat as diagflat
    from genesis.ops.diagonals import trace as trace
    from genesis.ops.diagonals import tril as tril
    from genesis.ops.diagonals import triu as triu
    from genesis.ops.distance import cosine_similarity as cosine_similarity
    from genesis.ops.distance import pairwise_distance as pairwise_distance
    from genesis.ops.distance import pdist as pdist
    from genesis.ops.distances import cdist as cdist
    from genesis.ops.dropouts import alpha_dropout as alpha_dropout
    from genesis.ops.dropouts import alpha_dropout_ as alpha_dropout_
    from genesis.ops.dropouts import dropout as dropout
    from genesis.ops.dropouts import dropout_ as dropout_
    from genesis.ops.dropouts import feature_alpha_dropout as feature_alpha_dropout
    from genesis.ops.dropouts import feature_alpha_dropout_ as feature_alpha_dropout_
    from genesis.ops.dropouts import feature_dropout as feature_dropout
    from genesis.ops.dropouts import feature_dropout_ as feature_dropout_
    from genesis.ops.elementwise import abs as abs
    from genesis.ops.elementwise import abs as absolute
    from genesis.ops.elementwise import add as add
    from genesis.ops.elementwise import addcdiv as addcdiv
    from genesis.ops.elementwise import addcmul as addcmul
    from genesis.ops.elementwise import bitwise_and as bitwise_and
    from genesis.ops.elementwise import bitwise_left_shift as bitwise_left_shift
    from genesis.ops.elementwise import bitwise_not as bitwise_not
    from genesis.ops.elementwise import bitwise_or as bitwise_or
    from genesis.ops.elementwise import bitwise_right_shift as bitwise_right_shift
    from genesis.ops.elementwise import bitwise_xor as bitwise_xor
    from genesis.ops.elementwise import ceil as ceil
    from genesis.ops.elementwise import clamp as clamp
    from genesis.ops.elementwise import clamp as clip
    from genesis.ops.elementwise import clamp_max as clamp_max
    from genesis.ops.elementwise import clamp_min as clamp_min
    from genesis.ops.elementwise import cos as cos
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
    from genesis.ops.elementwise import ge as greater_equal
    from genesis.ops.elementwise import gt as greater
    from genesis.ops.elementwise import gt as gt
    from genesis.ops.elementwise import isfinite as isfinite
    from genesis.ops.elementwise import isinf as isinf
    from genesis.ops.elementwise import isnan as isnan
    from genesis.ops.elementwise import le as le
    from genesis.ops.elementwise import le as less_equal
    from genesis.ops.elementwise import lerp as lerp
    from genesis.ops.elementwise import log as log
    from genesis.ops.elementwise import log1p as log1p
    from genesis.ops.elementwise import log2 as log2
    from genesis.ops.elementwise import log10 as log10
    from genesis.ops.elementwise import logical_and as logical_and
    from genesis.ops.elementwise import logical_not as logical_not
    from genesis.ops.elementwise import logical_or as logical_or
    from genesis.ops.elementwise import logical_xor as logical_xor
    from genesis.ops.elementwise import lt as less
    from genesis.ops.elementwise import lt as lt
    from genesis.ops.elementwise import masked_fill as masked_fill
    from genesis.ops.elementwise import maximum as maximum
    from genesis.ops.elementwise import minimum as minimum
    from genesis.ops.elementwise import mul as mul
    from genesis.ops.elementwise import mul as multiply
    from genesis.ops.elementwise import nan_to_num as nan_to_num
    from genesis.ops.elementwise import ne as ne
    from genesis.ops.elementwise import ne as not_equal
    from genesis.ops.elementwise import neg as neg
    from genesis.ops.elementwise import neg as negative
    from genesis.ops.elementwise import pow as pow
    from genesis.ops.elementwise import reciprocal as reciprocal
    from genesis.ops.elementwise import remainder as remainder
    from genesis.ops.elementwise import rsqrt as rsqrt
    from genesis.ops.elementwise import rsub as rsub
    from genesis.ops.elementwise import sign as sgn
    from genesis.ops.elementwise import sign as sign
    from genesis.ops.elementwise import sin as sin
    from genesis.ops.elementwise import sqrt as sqrt
    from genesis.ops.elementwise import square as square
    from genesis.ops.elementwise import sub as sub
    from genesis.ops.elementwise import sub as subtract
    from genesis.ops.elementwise import tanh as tanh
    from genesis.ops.elementwise import true_divide as true_divide
    from genesis.ops.elementwise import trunc as fix
    from genesis.ops.elementwise import trunc as trunc
    from genesis.ops.elementwise import where as where
    from genesis.ops.grids import cartesian_prod as cartesian_prod
    from genesis.ops.grids import combinations as combinations
    from genesis.ops.grids import empty_permuted as empty_permuted
    from genesis.ops.grids import logspace as logspace
    from genesis.ops.grids import meshgrid as meshgrid
    from genesis.ops.grids import range as range
    from genesis.ops.grids import tril_indices as tril_indices
    from genesis.ops.grids import triu_indices as triu_indices
    from genesis.ops.grids import unravel_index as unravel_index
    from genesis.ops.grids import vander as vander
    from genesis.ops.group_norm import group_norm as group_norm
    from genesis.ops.group_norm import rms_norm as rms_norm
    from genesis.ops.householder import geqrf as geqrf
    from genesis.ops.householder import householder_product as orgqr
    from genesis.ops.householder import ormqr as ormqr
    from genesis.ops.indexing import gather as gather
    from genesis.ops.indexing import index_select as index_select
    from genesis.ops.indexing import scatter as scatter
    from genesis.ops.indexing import scatter_add as scatter_add
    from genesis.ops.indexing import take_along_dim as take_along_dim
    from genesis.ops.inspection import is_complex as is_complex
    from genesis.ops.inspection import is_floating_point as is_floating_point
    from genesis.ops.inspection import is_nonzero as is_nonzero
    from genesis.ops.inspection import is_same_size as is_same_size
    from genesis.ops.inspection import is_tensor as is_tensor
    from genesis.ops.inspection import numel as numel
    from genesis.ops.inspection import result_type as result_type
    from genesis.ops.joining import atleast_1d as atleast_1d
    from genesis.ops.joining import atleast_2d as atleast_2d
    from genesis.ops.joining import atleast_3d as atleast_3d
    from genesis.ops.joining import block_diag as block_diag
    from genesis.ops.joining import cat as cat
    from genesis.ops.joining import cat as concat
    from genesis.ops.joining import cat as concatenate
    from genesis.ops.joining import column_stack as column_stack
    from genesis.ops.joining import dstack as dstack
    from genesis.ops.joining import hstack as hstack
    from genesis.ops.joining import stack as stack
    from genesis.ops.joining import vstack as row_stack
    from genesis.ops.joining import vstack as vstack
    from genesis.ops.linalg import addbmm as addbmm
    from genesis.ops.linalg import addmm as addmm
    from genesis.ops.linalg import addmv as addmv
    from genesis.ops.linalg import addr as addr
    from genesis.ops.linalg import baddbmm as baddbmm
    from genesis.ops.linalg import bmm as bmm
    from genesis.ops.linalg import dot as dot
    from genesis.ops.linalg import ger as ger
    from genesis.ops.linalg import inner as inner
    from genesis.ops.linalg import matmul as matmul
    from genesis.ops.linalg import mm as mm
    from genesis.ops.linalg import mm as spmm
    from genesis.ops.linalg import mv as mv
    from genesis.ops.linalg import outer as outer
    from genesis.ops.linalg import vdot as vdot
    from genesis.ops.low_rank import pca_lowrank as pca_lowrank
    from genesis.ops.low_rank import svd_lowrank as svd_lowrank
    from genesis.ops.lu_decomposition import lu_unpack as lu_unpack
    from genesis.ops.lu_decomposition import old_lu as lu
    from genesis.ops.lu_decomposition import old_lu_solve as lu_solve
    from genesis.ops.matrix_functions import matrix_exp as matrix_exp
    from genesis.ops.moments import corrcoef as corrcoef
    from genesis.ops.moments import cov as cov
    from genesis.ops.moments import dist as dist
    from genesis.ops.moments import norm as norm
    from genesis.ops.moments import renorm as renorm
    from genesis.ops.moments import std as std
    from genesis.ops.moments import std_mean as std_mean
    from genesis.ops.moments import var as var
    from genesis.ops.moments import var_mean as var_mean
    from genesis.ops.normalization import layer_norm as layer_norm
    from genesis.ops.normalization import log_softmax as log_softmax
    from genesis.ops.normalization import logsumexp as logsumexp
    from genesis.ops.normalization import softmax as softmax
    from genesis.ops.orthogonal import gammainc as igamma
    from genesis.ops.orthogonal import gammaincc as igammac
    from genesis.ops.padding import constant_pad_nd as constant_pad_nd
    from genesis.ops.parts import chunk as chunk
    from genesis.ops.parts import chunk as unsafe_chunk
    from genesis.ops.parts import diagonal as diagonal
    from genesis.ops.parts import diagonal_scatter as diagonal_scatter
    from genesis.ops.parts import dsplit as dsplit
    from genesis.ops.parts import hsplit as hsplit
    from genesis.ops.parts import narrow as narrow
    from genesis.ops.parts import narrow_copy as narrow_copy
    from genesis.ops.parts import select as select
    from genesis.ops.parts import select_scatter as select_scatter
    from genesis.ops.parts import slice_scatter as slice_scatter
    from genesis.ops.parts import split as split
    from genesis.ops.parts import split as unsafe_split
    from genesis.ops.parts import split_with_sizes as split_with_sizes
    from genesis.ops.parts import split_with_sizes as unsafe_split_with_sizes
    from genesis.ops.parts import tensor_split as tensor_split
    from genesis.ops.parts import unbind as unbind
    from genesis.ops.parts import vsplit as vsplit
    from genesis.ops.picking import argwhere as argwhere
    from genesis.ops.picking import masked_scatter as masked_scatter
    from genesis.ops.picking import masked_select as masked_select
    from genesis.ops.picking import nonzero as nonzero
    from genesis.ops.picking import nonzero_static as nonzero_static
    from genesis.ops.picking import put as put
    from genesis.ops.picking import take as take
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
    from genesis.ops.pools import adaptive_avg_pool1d as adaptive_avg_pool1d
    from genesis.ops.pools import adaptive_max_pool1d as adaptive_max_pool1d
    from genesis.ops.pools import avg_pool1d as avg_pool1d
    from genesis.ops.pools import max_pool1d as max_pool1d
    from genesis.ops.pools import max_pool1d_with_indices as max_pool1d_with_indices
    from genesis.ops.pools import max_pool2d as max_pool2d
    from genesis.ops.pools import max_pool3d as max_pool3d
    from genesis.ops.products import chain_matmul as chain_matmul
    from genesis.ops.products import cross as cross
    from genesis.ops.products import kron as kron
    from genesis.ops.products import matrix_power as matrix_power
    from genesis.ops.products import tensordot as tensordot
    from genesis.ops.random import bernoulli as bernoulli
    from genesis.ops.random import binomial as binomial
    from genesis.ops.random import multinomial as multinomial
    from genesis.ops.random import normal as normal
    from genesis.ops.random import poisson as poisson
    from genesis.ops.random import rand as rand
    from genesis.ops.random import rand_like as rand_like
    from genesis.ops.random import randint as randint
    from genesis.ops.random import randint_like as randint_like
    from genesis.ops.random import randn as randn
    from genesis.ops.random import randn_like as randn_like
    from genesis.ops.random import randperm as randperm
    from genesis.ops.real import conj as conj
    from genesis.ops.real import conj_physical as conj_physical
    from genesis.ops.real import imag as imag
    from genesis.ops.real import is_conj as is_conj
    from genesis.ops.real import is_neg as is_neg
    from genesis.ops.real import real as real
    from genesis.ops.real import resolve_conj as resolve_conj
    from genesis.ops.real import resolve_neg as resolve_neg
    from genesis.ops.rearranging import flip as flip
    from genesis.ops.rearranging import fliplr as fliplr
    from genesis.ops.rearranging import flipud as flipud
    from genesis.ops.rearranging import repeat_interleave as repeat_interleave
    from genesis.ops.rearranging import roll as roll
    from genesis.ops.rearranging import rot90 as rot90
    from genesis.ops.rearranging import tile as tile
    from genesis.ops.reduction import all as all
    from genesis.ops.reduction import amax as amax
    from genesis.ops.reduction import amin as amin
    from genesis.ops.reduction import any as any
    from genesis.ops.reduction import argmax as argmax
    from genesis.ops.reduction import argmin as argmin
    from genesis.ops.reduction import cumprod as cumprod
    from genesis.ops.reduction import cumsum as cumsum
    from genesis.ops.reduction import max as max
    from genesis.ops.reduction import mean as mean
    from genesis.ops.reduction import min as min
    from genesis.ops.reduction import prod as prod
    from genesis.ops.reduction import sum as sum
    from genesis.ops.resampling import channel_shuffle as channel_shuffle
    from genesis.ops.resampling import pixel_shuffle as pixel_shuffle
    from genesis.ops.resampling import pixel_unshuffle as pixel_unshuffle
    from genesis.ops.scans import cummax as cummax
    from genesis.ops.scans import cummin as cummin
    from genesis.ops.scans import cumulative_trapezoid as cumulative_trapezoid
    from genesis.ops.scans import diff as diff
    from genesis.ops.scans import gradient as gradient
    from genesis.ops.scans import logcumsumexp as logcumsumexp
    from genesis.ops.scans import trapezoid as trapezoid
    from genesis.ops.scans import trapezoid as trapz
    from genesis.ops.scattering import index_reduce as index_reduce
    from genesis.ops.scattering import scatter_reduce as scatter_reduce
    from genesis.ops.shape import adjoint as adjoint
    from genesis.ops.shape import broadcast_shapes as broadcast_shapes
    from genesis.ops.shape import broadcast_tensors as broadcast_tensors
    from genesis.ops.shape import broadcast_to as broadcast_to
    from genesis.ops.shape import clone as clone
    from genesis.ops.shape import flatten as flatten
    from genesis.ops.shape import movedim as moveaxis
    from genesis.ops.shape import movedim as movedim
    from genesis.ops.shape import permute as permute
    from genesis.ops.shape import ravel as ravel
    from genesis.ops.shape import reshape as reshape
    from genesis.ops.shape import squeeze as squeeze
    from genesis.ops.shape import swapaxes as swapaxes
    from genesis.ops.shape import swapdims as swapdims
    from genesis.ops.shape import t as t
    from genesis.ops.shape import transpose as transpose
    from genesis.ops.shape import unflatten as unflatten
    from genesis.ops.shape import unsqueeze as unsqueeze
    from genesis.ops.slices import index_add as index_add
    from genesis.ops.slices import index_copy as index_copy
    from genesis.ops.slices import index_fill as index_fill
    from genesis.ops.solving import det as det
    from genesis.ops.solving import inverse as inverse
    from genesis.ops.solving import logdet as logdet
    from genesis.ops.solving import slogdet as slogdet
    from genesis.ops.sorting import argsort as argsort
    from genesis.ops.sorting import bucketize as bucketize
    from genesis.ops.sorting import msort as msort
    from genesis.ops.sorting import searchsorted as searchsorted
    from genesis.ops.sorting import sort as sort
    from genesis.ops.sorting import topk as topk
    from genesis.ops.sorting import unique as unique
    from genesis.ops.sorting import unique_consecutive as unique_consecutive
    from genesis.ops.special import digamma as digamma
    from genesis.ops.special import erfc as erfc
    from genesis.ops.special import erfinv as erfinv
    from genesis.ops.special import i0 as i0
    from genesis.ops.special import lgamma as lgamma
    from genesis.ops.special import logaddexp as logaddexp
    from genesis.ops.special import logaddexp2 as logaddexp2
    from genesis.ops.special import logit as logit
    from genesis.ops.special import mvlgamma as mvlgamma
    from genesis.ops.special import polygamma as polygamma
    from genesis.ops.special import xlogy as xlogy
    from genesis.ops.statistics import aminmax as aminmax
    from genesis.ops.statistics import bincount as bincount
    from genesis.ops.statistics import count_nonzero as count_nonzero
    from genesis.ops.statistics import histc as histc
    from genesis.ops.statistics import histogram as histogram
    from genesis.ops.statistics import histogramdd as histogramdd
    from genesis.ops.statistics import kthvalue as kthvalue
    from genesis.ops.statistics import median as median
    from genesis.ops.statistics import mode as mode
    from genesis.ops.statistics import nanmean as nanmean
    from genesis.ops.statistics import nanmedian as nanmedian
    from genesis.ops.statistics import nanquantile as nanquantile
    from genesis.ops.statistics import nansum as nansum
    from genesis.ops.statistics import quantile as quantile
    from genesis.ops.strided import as_strided as as_strided
    from genesis.ops.strided import as_strided_scatter as as_strided_scatter
    from genesis.ops.subscript import index_put as index_put
    from genesis.ops.subscript import index_put_ as index_put_
    from genesis.ops.triangles import cholesky_inverse as cholesky_inverse
    from genesis.ops.triangles import cholesky_solve as cholesky_solve
    from genesis.ops.triangles import old_cholesky as cholesky
    from genesis.ops.triangles import triangular_solve as triangular_solve
    from genesis.ops.trigonometry import acos as acos
    from genesis.ops.trigonometry import acos as arccos
    from genesis.ops.trigonometry import acosh as acosh
    from genesis.ops.trigonometry import acosh as arccosh
    from genesis.ops.trigonometry import asin as arcsin
    from genesis.ops.trigonometry import asin as asin
    from genesis.ops.trigonometry import asinh as arcsinh
    from genesis.ops.trigonometry import asinh as asinh
    from genesis.ops.trigonometry import atan as arctan
    from genesis.ops.trigonometry import atan as atan
    from genesis.ops.trigonometry import atan2 as arctan2
    from genesis.ops.trigonometry import atan2 as atan2
    from genesis.ops.trigonometry import atanh as arctanh
    from genesis.ops.trigonometry import atanh as atanh
    from genesis.ops.trigonometry import cosh as cosh
    from genesis.ops.trigonometry import deg2rad as deg2rad
    from genesis.ops.trigonometry import hypot as hypot
    from genesis.ops.trigonometry import rad2deg as rad2deg
    from genesis.ops.trigonometry import sinc as sinc
    from genesis.ops.trigonometry import sinh as sinh
    from genesis.ops.trigonometry import tan as tan
    from genesis.ops.windows import bartlett_window as bartlett_window
    from genesis.ops.windows import blackman_window as blackman_window
    from genesis.ops.windows import hamming_window as hamming_window
    from genesis.ops.windows import hann_window as hann_window
    from genesis.ops.windows import kaiser_window as kaiser_window
    from genesis.plugin import list_backends as list_backends
    from genesis.plugin import list_communicators as list_communicators
    from genesis.plugin import list_kernels as list_kernels
    from genesis.plugin import list_optimizers as list_optimizers
    from genesis.plugin import list_schedulers as list_schedulers

_MODULES = (
    "accelerator",
    "amp",
    "autograd",
    "backend",
    "backends",
    "checkpoint",
    "cuda",
    "compiler",
    "cpu",
    "data",
    "distributed",
    "distributions",
    "func",
    "jit",
    "linalg",
    "mps",
    "multiprocessing",
    "nn",
    "ops",
    "optim",
    "plugin",
    "profiler",
    "random",
    "signal",
    "special",
    "testing",
    "types",
    "utils",
    "version",
    "xpu",
)

_NAMES = {
    "genesis._errors": (
        "AmbiguousNameError",
        "CheckpointError",
        "DataError",
        "DeviceError",
        "OutOfMemoryError",
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
        "bfloat16",
        "can_cast",
        "cdouble",
        "cfloat",
        "chalf",
        "channels_last",
        "channels_last_3d",
        "complex128",
        "complex32",
        "complex64",
        "contiguous_format",
        "dtype",
        "finfo",
        "float16",
        "float32",
        "float64",
        "float8_e4m3fn",
        "float8_e5m2",
        "half",
        "iinfo",
        "int16",
        "int32",
        "int64",
        "int8",
        "layout",
        "memory_format",
        "preserve_format",
        "promote_types",
        "set_default_dtype",
        "strided",
        "uint16",
        "uint32",
        "uint64",
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
    "genesis._settings": (
        "are_deterministic_algorithms_enabled",
        "compile",
        "get_deterministic_debug_mode",
        "get_float32_matmul_precision",
        "get_num_interop_threads",
        "get_num_threads",
        "is_deterministic_algorithms_warn_only_enabled",
        "is_storage",
        "is_warn_always_enabled",
        "set_default_tensor_type",
        "set_deterministic_debug_mode",
        "set_float32_matmul_precision",
        "set_flush_denormal",
        "set_num_interop_threads",
        "set_num_threads",
        "set_warn_always",
        "typename",
        "use_deterministic_algorithms",
    ),
    "genesis._streams": (
        "Event",
        "Stream",
    ),
    "genesis._tensor": (
        "Size",
        "Tensor",
    ),
    "genesis.autograd.grad_mode": (
        "enable_grad",
        "inference_mode",
        "is_grad_enabled",
        "is_inference_mode_enabled",
        "no_grad",
        "set_grad_enabled",
    ),
    "genesis.checkpoint": (
        "load",
        "load_checkpoint",
        "save",
        "save_checkpoint",
    ),
    "genesis._legacy": (
        "BFloat16Tensor",
        "BoolTensor",
        "ByteTensor",
        "CharTensor",
        "DoubleTensor",
        "FloatTensor",
        "HalfTensor",
        "IntTensor",
        "LongTensor",
        "ShortTensor",
    ),
    "genesis._printing": ("set_printoptions",),
    "genesis.ops.activation": (
        "relu",
        "sigmoid",
    ),
    "genesis.ops.batch_norm": (
        "batch_norm",
        "instance_norm",
    ),
    "genesis.ops.contraction": ("einsum",),
    "genesis.ops.convolution": (
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
    ),
    "genesis.ops.arithmetic": (
        "angle",
        "copysign",
        "fill",
        "float_power",
        "fmax",
        "fmin",
        "fmod",
        "frac",
        "frexp",
        "gcd",
        "heaviside",
        "lcm",
        "ldexp",
        "nextafter",
        "positive",
        "round",
        "signbit",
    ),
    "genesis.ops.comparison": (
        "allclose",
        "equal",
        "isclose",
        "isin",
        "isneginf",
        "isposinf",
        "isreal",
    ),
    "genesis.ops.copies": (
        "alias_copy",
        "as_strided_copy",
        "detach_copy",
        "diagonal_copy",
        "expand_copy",
        "permute_copy",
        "select_copy",
        "slice_copy",
        "split_copy",
        "split_with_sizes_copy",
        "squeeze_copy",
        "t_copy",
        "transpose_copy",
        "unbind_copy",
        "unfold_copy",
        "unsqueeze_copy",
        "view_copy",
    ),
    "genesis.ops.creation": (
        "arange",
        "as_tensor",
        "asarray",
        "empty",
        "empty_like",
        "empty_strided",
        "eye",
        "from_dlpack",
        "from_numpy",
        "frombuffer",
        "full",
        "full_like",
        "linspace",
        "ones",
        "ones_like",
        "scalar_tensor",
        "tensor",
        "zeros",
        "zeros_like",
    ),
    "genesis.ops.decompositions": ("pinverse",),
    "genesis.ops.diagonals": (
        "diag",
        "diag_embed",
        "diagflat",
        "trace",
        "tril",
        "triu",
    ),
    "genesis.ops.distance": (
        "cosine_similarity",
        "pairwise_distance",
        "pdist",
    ),
    "genesis.ops.distances": ("cdist",),
    "genesis.ops.dropouts": (
        "alpha_dropout",
        "alpha_dropout_",
        "dropout",
        "dropout_",
        "feature_alpha_dropout",
        "feature_alpha_dropout_",
        "feature_dropout",
        "feature_dropout_",
    ),
    "genesis.ops.elementwise": (
        "abs",
        "add",
        "addcdiv",
        "addcmul",
        "bitwise_and",
        "bitwise_left_shift",
        "bitwise_not",
        "bitwise_or",
        "bitwise_right_shift",
        "bitwise_xor",
        "ceil",
        "clamp",
        "cos",
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
        "rsqrt",
        "rsub",
        "sign",
        "sin",
        "sqrt",
        "square",
        "sub",
        "tanh",
        "true_divide",
        "trunc",
        "where",
    ),
    "genesis.ops.grids": (
        "cartesian_prod",
        "combinations",
        "empty_permuted",
        "logspace",
        "meshgrid",
        "range",
        "tril_indices",
        "triu_indices",
        "unravel_index",
        "vander",
    ),
    "genesis.ops.group_norm": (
        "group_norm",
        "rms_norm",
    ),
    "genesis.ops.householder": (
        "geqrf",
        "ormqr",
    ),
    "genesis.ops.indexing": (
        "gather",
        "index_select",
        "scatter",
        "scatter_add",
        "take_along_dim",
    ),
    "genesis.ops.inspection": (
        "is_complex",
        "is_floating_point",
        "is_nonzero",
        "is_same_size",
        "is_tensor",
        "numel",
        "result_type",
    ),
    "genesis.ops.joining": (
        "atleast_1d",
        "atleast_2d",
        "atleast_3d",
        "block_diag",
        "cat",
        "column_stack",
        "dstack",
        "hstack",
        "stack",
        "vstack",
    ),
    "genesis.ops.linalg": (
        "addbmm",
        "addmm",
        "addmv",
        "addr",
        "baddbmm",
        "bmm",
        "dot",
        "ger",
        "inner",
        "matmul",
        "mm",
        "mv",
        "outer",
        "vdot",
    ),
    "genesis.ops.low_rank": (
        "pca_lowrank",
        "svd_lowrank",
    ),
    "genesis.ops.lu_decomposition": ("lu_unpack",),
    "genesis.ops.matrix_functions": ("matrix_exp",),
    "genesis.ops.moments": (
        "corrcoef",
        "cov",
        "dist",
        "norm",
        "renorm",
        "std",
        "std_mean",
        "var",
        "var_mean",
    ),
    "genesis.ops.normalization": (
        "layer_norm",
        "log_softmax",
        "logsumexp",
        "softmax",
    ),
    "genesis.ops.padding": ("constant_pad_nd",),
    "genesis.ops.parts": (
        "chunk",
        "diagonal",
        "diagonal_scatter",
        "dsplit",
        "hsplit",
        "narrow",
        "narrow_copy",
        "select",
        "select_scatter",
        "slice_scatter",
        "split",
        "split_with_sizes",
        "tensor_split",
        "unbind",
        "vsplit",
    ),
    "genesis.ops.picking": (
        "argwhere",
        "masked_scatter",
        "masked_select",
        "nonzero",
        "nonzero_static",
        "put",
        "take",
    ),
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
    "genesis.ops.pools": (
        "adaptive_avg_pool1d",
        "adaptive_max_pool1d",
        "avg_pool1d",
        "max_pool1d",
        "max_pool1d_with_indices",
        "max_pool2d",
        "max_pool3d",
    ),
    "genesis.ops.products": (
        "chain_matmul",
        "cross",
        "kron",
        "matrix_power",
        "tensordot",
    ),
    "genesis.ops.random": (
        "bernoulli",
        "binomial",
        "multinomial",
        "normal",
        "poisson",
        "rand",
        "rand_like",
        "randint",
        "randint_like",
        "randn",
        "randn_like",
        "randperm",
    ),
    "genesis.ops.real": (
        "conj",
        "conj_physical",
        "imag",
        "is_conj",
        "is_neg",
        "real",
        "resolve_conj",
        "resolve_neg",
    ),
    "genesis.ops.rearranging": (
        "flip",
        "fliplr",
        "flipud",
        "repeat_interleave",
        "roll",
        "rot90",
        "tile",
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
        "max",
        "mean",
        "min",
        "prod",
        "sum",
    ),
    "genesis.ops.resampling": (
        "channel_shuffle",
        "pixel_shuffle",
        "pixel_unshuffle",
    ),
    "genesis.ops.scans": (
        "cummax",
        "cummin",
        "cumulative_trapezoid",
        "diff",
        "gradient",
        "logcumsumexp",
        "trapezoid",
    ),
    "genesis.ops.scattering": (
        "index_reduce",
        "scatter_reduce",
    ),
    "genesis.ops.shape": (
        "adjoint",
        "broadcast_shapes",
        "broadcast_tensors",
        "broadcast_to",
        "clone",
        "flatten",
        "movedim",
        "permute",
        "ravel",
        "reshape",
        "squeeze",
        "swapaxes",
        "swapdims",
        "t",
        "transpose",
        "unflatten",
        "unsqueeze",
    ),
    "genesis.plugin": (
        "list_backends",
        "list_communicators",
        "list_kernels",
        "list_optimizers",
        "list_schedulers",
    ),
    "genesis.ops.slices": (
        "index_add",
        "index_copy",
        "index_fill",
    ),
    "genesis.ops.solving": (
        "det",
        "inverse",
        "logdet",
        "slogdet",
    ),
    "genesis.ops.sorting": (
        "argsort",
        "bucketize",
        "msort",
        "searchsorted",
        "sort",
        "topk",
        "unique",
        "unique_consecutive",
    ),
    "genesis.ops.special": (
        "digamma",
        "erfc",
        "erfinv",
        "i0",
        "lgamma",
        "logaddexp",
        "logaddexp2",
        "logit",
        "mvlgamma",
        "polygamma",
        "xlogy",
    ),
    "genesis.ops.statistics": (
        "aminmax",
        "bincount",
        "count_nonzero",
        "histc",
        "histogram",
        "histogramdd",
        "kthvalue",
        "median",
        "mode",
        "nanmean",
        "nanmedian",
        "nanquantile",
        "nansum",
        "quantile",
    ),
    "genesis.ops.subscript": ("index_put",),
    "genesis.ops.strided": (
        "as_strided",
        "as_strided_scatter",
    ),
    "genesis.ops.triangles": (
        "cholesky_inverse",
        "cholesky_solve",
        "triangular_solve",
    ),
    "genesis.ops.trigonometry": (
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cosh",
        "deg2rad",
        "hypot",
        "rad2deg",
        "sinc",
        "sinh",
        "tan",
    ),
    "genesis.ops.windows": (
        "bartlett_window",
        "blackman_window",
        "hamming_window",
        "hann_window",
        "kaiser_window",
    ),
}

#: other names of the same things
_ALIASES = {
    "GradScaler": "genesis.amp:GradScaler",
    "abs_": "genesis.ops.in_place:abs_",
    "absolute": "genesis.ops.elementwise:abs",
    "acos_": "genesis.ops.in_place:acos_",
    "acosh_": "genesis.ops.in_place:acosh_",
    "addmv_": "genesis.ops.in_place:addmv_",
    "arccos": "genesis.ops.trigonometry:acos",
    "arccos_": "genesis.ops.in_place:arccos_",
    "arccosh": "genesis.ops.trigonometry:acosh",
    "arccosh_": "genesis.ops.in_place:arccosh_",
    "arcsin": "genesis.ops.trigonometry:asin",
    "arcsin_": "genesis.ops.in_place:arcsin_",
    "arcsinh": "genesis.ops.trigonometry:asinh",
    "arcsinh_": "genesis.ops.in_place:arcsinh_",
    "arctan": "genesis.ops.trigonometry:atan",
    "arctan2": "genesis.ops.trigonometry:atan2",
    "arctan_": "genesis.ops.in_place:arctan_",
    "arctanh": "genesis.ops.trigonometry:atanh",
    "arctanh_": "genesis.ops.in_place:arctanh_",
    "as_strided_": "genesis.ops.in_place:as_strided_",
    "asin_": "genesis.ops.in_place:asin_",
    "asinh_": "genesis.ops.in_place:asinh_",
    "atan_": "genesis.ops.in_place:atan_",
    "atanh_": "genesis.ops.in_place:atanh_",
    "autocast": "genesis.amp:autocast",
    "autocast_decrement_nesting": "genesis.amp.autocast_mode:autocast_decrement_nesting",
    "autocast_increment_nesting": "genesis.amp.autocast_mode:autocast_increment_nesting",
    "clear_autocast_cache": "genesis.amp.autocast_mode:clear_autocast_cache",
    "get_autocast_cpu_dtype": "genesis.amp.autocast_mode:get_autocast_cpu_dtype",
    "get_autocast_dtype": "genesis.amp.autocast_mode:get_autocast_dtype",
    "get_autocast_gpu_dtype": "genesis.amp.autocast_mode:get_autocast_gpu_dtype",
    "is_autocast_cache_enabled": "genesis.amp.autocast_mode:is_autocast_cache_enabled",
    "is_autocast_cpu_enabled": "genesis.amp.autocast_mode:is_autocast_cpu_enabled",
    "is_autocast_enabled": "genesis.amp.autocast_mode:is_autocast_enabled",
    "set_autocast_cache_enabled": "genesis.amp.autocast_mode:set_autocast_cache_enabled",
    "set_autocast_cpu_dtype": "genesis.amp.autocast_mode:set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled": "genesis.amp.autocast_mode:set_autocast_cpu_enabled",
    "set_autocast_dtype": "genesis.amp.autocast_mode:set_autocast_dtype",
    "set_autocast_enabled": "genesis.amp.autocast_mode:set_autocast_enabled",
    "set_autocast_gpu_dtype": "genesis.amp.autocast_mode:set_autocast_gpu_dtype",
    "bool": "genesis._dtypes:bool_",
    "ceil_": "genesis.ops.in_place:ceil_",
    "cholesky": "genesis.ops.triangles:old_cholesky",
    "clamp_": "genesis.ops.in_place:clamp_",
    "clamp_max": "genesis.ops.elementwise:clamp_max",
    "clamp_max_": "genesis.ops.in_place:clamp_max_",
    "clamp_min": "genesis.ops.elementwise:clamp_min",
    "clamp_min_": "genesis.ops.in_place:clamp_min_",
    "clip": "genesis.ops.elementwise:clamp",
    "clip_": "genesis.ops.in_place:clip_",
    "concat": "genesis.ops.joining:cat",
    "concatenate": "genesis.ops.joining:cat",
    "conj_physical_": "genesis.ops.in_place:conj_physical_",
    "cos_": "genesis.ops.in_place:cos_",
    "cosh_": "genesis.ops.in_place:cosh_",
    "default_generator": "genesis._random:default_generator",
    "deg2rad_": "genesis.ops.in_place:deg2rad_",
    "detach_": "genesis.ops.in_place:detach_",
    "divide": "genesis.ops.elementwise:div",
    "double": "genesis._dtypes:float64",
    "e": "math:e",
    "erf_": "genesis.ops.in_place:erf_",
    "erfc_": "genesis.ops.in_place:erfc_",
    "exp2_": "genesis.ops.in_place:exp2_",
    "exp_": "genesis.ops.in_place:exp_",
    "expm1_": "genesis.ops.in_place:expm1_",
    "fill_": "genesis.ops.in_place:fill_",
    "fix": "genesis.ops.elementwise:trunc",
    "fix_": "genesis.ops.in_place:fix_",
    "float": "genesis._dtypes:float32",
    "floor_": "genesis.ops.in_place:floor_",
    "frac_": "genesis.ops.in_place:frac_",
    "gcd_": "genesis.ops.in_place:gcd_",
    "get_default_dtype": "genesis._dtypes:default_dtype",
    "greater": "genesis.ops.elementwise:gt",
    "greater_equal": "genesis.ops.elementwise:ge",
    "i0_": "genesis.ops.in_place:i0_",
    "igamma": "genesis.ops.orthogonal:gammainc",
    "igammac": "genesis.ops.orthogonal:gammaincc",
    "index_put_": "genesis.ops.subscript:index_put_",
    "inf": "math:inf",
    "int": "genesis._dtypes:int32",
    "is_anomaly_enabled": "genesis.autograd.anomaly:is_anomaly_enabled",
    "lcm_": "genesis.ops.in_place:lcm_",
    "ldexp_": "genesis.ops.in_place:ldexp_",
    "less": "genesis.ops.elementwise:lt",
    "less_equal": "genesis.ops.elementwise:le",
    "log10_": "genesis.ops.in_place:log10_",
    "log1p_": "genesis.ops.in_place:log1p_",
    "log2_": "genesis.ops.in_place:log2_",
    "log_": "genesis.ops.in_place:log_",
    "logit_": "genesis.ops.in_place:logit_",
    "long": "genesis._dtypes:int64",
    "lu": "genesis.ops.lu_decomposition:old_lu",
    "lu_solve": "genesis.ops.lu_decomposition:old_lu_solve",
    "moveaxis": "genesis.ops.shape:movedim",
    "multiply": "genesis.ops.elementwise:mul",
    "nan": "math:nan",
    "nan_to_num_": "genesis.ops.in_place:nan_to_num_",
    "neg_": "genesis.ops.in_place:neg_",
    "negative": "genesis.ops.elementwise:neg",
    "negative_": "genesis.ops.in_place:negative_",
    "not_equal": "genesis.ops.elementwise:ne",
    "orgqr": "genesis.ops.householder:householder_product",
    "pi": "math:pi",
    "qr": "genesis.ops.decompositions:old_qr",
    "rad2deg_": "genesis.ops.in_place:rad2deg_",
    "reciprocal_": "genesis.ops.in_place:reciprocal_",
    "resize_as_": "genesis.ops.in_place:resize_as_",
    "round_": "genesis.ops.in_place:round_",
    "row_stack": "genesis.ops.joining:vstack",
    "rsqrt_": "genesis.ops.in_place:rsqrt_",
    "set_anomaly_enabled": "genesis.autograd.anomaly:set_detect_anomaly",
    "sgn": "genesis.ops.elementwise:sign",
    "short": "genesis._dtypes:int16",
    "sigmoid_": "genesis.ops.in_place:sigmoid_",
    "sin_": "genesis.ops.in_place:sin_",
    "sinc_": "genesis.ops.in_place:sinc_",
    "sinh_": "genesis.ops.in_place:sinh_",
    "spmm": "genesis.ops.linalg:mm",
    "sqrt_": "genesis.ops.in_place:sqrt_",
    "square_": "genesis.ops.in_place:square_",
    "subtract": "genesis.ops.elementwise:sub",
    "svd": "genesis.ops.decompositions:old_svd",
    "tan_": "genesis.ops.in_place:tan_",
    "tanh_": "genesis.ops.in_place:tanh_",
    "trapz": "genesis.ops.scans:trapezoid",
    "trunc_": "genesis.ops.in_place:trunc_",
    "unsafe_chunk": "genesis.ops.parts:chunk",
    "unsafe_split": "genesis.ops.parts:split",
    "unsafe_split_with_sizes": "genesis.ops.parts:split_with_sizes",
    "vmap": "genesis.func:vmap",
    "xlogy_": "genesis.ops.in_place:xlogy_",
    "zero_": "genesis.ops.in_place:zero_",
}

newaxis = None  #: adds an axis where it stands in a subscript


def _called(name: str, path: str, value: object) -> object:
    """Operations take PyTorch's names of arguments here, and ``out=``."""
    if not path.startswith("genesis.ops."):
        return value
    from genesis._calling import public

    return public(name, value)


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.{name}" for name in _MODULES},
        **{name: f"{module}:{name}" for module, names in _NAMES.items() for name in names},
        **_ALIASES,
    },
    _called,
)

if Finder not in sys.meta_path:
    sys.meta_path.append(Finder)
