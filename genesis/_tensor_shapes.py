"""Changes of shape, indexing, sorting and products as methods of tensors, one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genesis._errors import ShapeError
from genesis.autograd.graph import TensorCore, check_writable, tracked
from genesis.ops import _view as vw
from genesis.ops import decompositions as dc
from genesis.ops import diagonals as dia
from genesis.ops import householder as hh
from genesis.ops import indexing as ix
from genesis.ops import linalg as la
from genesis.ops import lu_decomposition as lu
from genesis.ops import matrix_functions as mexp
from genesis.ops import parts, solving, subscript
from genesis.ops import picking as pk
from genesis.ops import products as pr
from genesis.ops import rearranging as ra
from genesis.ops import scattering as sc
from genesis.ops import shape as sh
from genesis.ops import slices as sl
from genesis.ops import sorting as so
from genesis.ops import strided as st
from genesis.ops import triangles as tri

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# fmt: off
# ruff: noqa: E501 - one line each
# mypy: disable-error-code="arg-type, no-any-return, return-value"
# (the only subclass is Tensor, so `self` is one; operations without a gradient of their own are typed Any)


def _into(x: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Write ``function(x, …)`` into ``x``; a gradient that reads the old value of ``x`` reads a copy."""
    check_writable(x)
    out = function(x.clone() if tracked(x) else x, *args, **options)
    if out._view.shape != x._view.shape:
        raise ShapeError(f"an in-place operation cannot change the shape {x._view.shape} to {out._view.shape}")
    return x.copy_(out)


class ShapeMethods(TensorCore):
    """See the function of the same name in ``genesis``."""

    # -- shape ---------------------------------------------------------------------------------------
    def view(self, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor: return sh.view_as_dtype(self, dtype) if dtype is not None else sh.view(self, *(shape if size is None else (size,)))
    def view_as(self, other: Any) -> Tensor: return sh.view(self, other.shape)
    def reshape(self, *args: Any, shape: Any = None) -> Tensor: return sh.reshape(self, *args, shape=shape)
    def reshape_as(self, other: Any) -> Tensor: return sh.reshape(self, other.shape)
    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: return sh.flatten(self, start_dim, end_dim)
    def ravel(self) -> Tensor: return sh.ravel(self)
    def unflatten(self, dim: int, sizes: Any) -> Tensor: return sh.unflatten(self, dim, sizes)
    def squeeze(self, dim: Any = None, *more: int) -> Tensor: return sh.squeeze(self, (dim, *more) if more else dim)
    def unsqueeze(self, dim: int) -> Tensor: return sh.unsqueeze(self, dim)
    def permute(self, *args: Any, dims: Any = None) -> Tensor: return sh.permute(self, *args, dims=dims)
    def transpose(self, dim0: int, dim1: int) -> Tensor: return sh.transpose(self, dim0, dim1)
    def swapaxes(self, axis0: int, axis1: int) -> Tensor: return sh.transpose(self, axis0, axis1)
    def swapdims(self, dim0: int, dim1: int) -> Tensor: return sh.transpose(self, dim0, dim1)
    def movedim(self, source: Any, destination: Any) -> Tensor: return sh.movedim(self, source, destination)
    def moveaxis(self, source: Any, destination: Any) -> Tensor: return sh.movedim(self, source, destination)
    def t(self) -> Tensor: return sh.t(self)
    def adjoint(self) -> Tensor: return sh.adjoint(self)
    @property
    def T(self) -> Tensor: return sh.permute(self, *range(len(self._view.shape) - 1, -1, -1))
    @property
    def mT(self) -> Tensor: return sh.matrix_transpose(self) if self._view.shape else sh.permute(self, ())
    @property
    def H(self) -> Tensor: return sh.hermitian(self)
    @property
    def mH(self) -> Tensor: return sh.matrix_transpose(self, "mH") if self._view.shape else sh.permute(self, ())
    def expand(self, *shape: Any, size: Any = None, implicit: bool = False) -> Tensor: return sh.expand(self, *vw.sizes_given(shape, size))
    def expand_as(self, other: Any) -> Tensor: return sh.expand(self, other.shape)
    def broadcast_to(self, size: Any) -> Tensor: return sh.expand(self, size)
    def as_strided(self, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor: return st.as_strided(self, size, stride, storage_offset)
    def as_strided_scatter(self, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor: return st.as_strided_scatter(self, src, size, stride, storage_offset)
    def sum_to_size(self, *size: Any) -> Tensor: return sh.sum_to_size(self, *size)
    def clone(self, *, memory_format: Any = None) -> Tensor: return sh.clone(self, memory_format=memory_format)
    def contiguous(self, memory_format: Any = None) -> Tensor: return sh.contiguous(self, memory_format)
    def repeat(self, *args: Any, repeats: Any = None) -> Tensor: return ra.repeat(self, *vw.sizes_given(args, repeats))
    def tile(self, *args: Any, dims: Any = None) -> Tensor: return ra.tile(self, *args, dims=dims)
    def repeat_interleave(self, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor: return ra.repeat_interleave(self, repeats, dim, output_size=output_size)
    def roll(self, shifts: Any, dims: Any = ()) -> Tensor: return ra.roll(self, shifts, dims)
    def flip(self, *args: Any, dims: Any = None) -> Tensor: return ra.flip(self, *args, dims=dims)
    def fliplr(self) -> Tensor: return ra.fliplr(self)
    def flipud(self) -> Tensor: return ra.flipud(self)
    def rot90(self, k: int = 1, dims: Any = (0, 1)) -> Tensor: return ra.rot90(self, k, dims)

    # -- parts ---------------------------------------------------------------------------------------
    def narrow(self, dim: int, start: Any, length: int) -> Tensor: return parts.narrow(self, dim, start, length)
    def narrow_copy(self, dim: int, start: int, length: int) -> Tensor: return parts.narrow_copy(self, dim, start, length)
    def select(self, dim: int, index: int) -> Tensor: return parts.select(self, dim, index)
    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]: return parts.unbind(self, dim)
    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]: return parts.split(self, split_size, dim)
    def split_with_sizes(self, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]: return parts.split_with_sizes(self, split_sizes, dim)
    def tensor_split(self, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None, sections: Any = None) -> tuple[Tensor, ...]: return parts.tensor_split(self, next(x for x in (indices_or_sections, indices, sections) if x is not None), dim)
    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: return parts.hsplit(self, indices_or_sections)
    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: return parts.vsplit(self, indices_or_sections)
    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: return parts.dsplit(self, indices_or_sections)
    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]: return parts.chunk(self, chunks, dim)
    def unsafe_chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]: return parts.chunk(self, chunks, dim)
    def unsafe_split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]: return parts.split(self, split_size, dim)
    def unsafe_split_with_sizes(self, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]: return parts.split_with_sizes(self, split_sizes, dim)
    def unfold(self, dimension: int, size: int, step: int) -> Tensor: return parts.unfold(self, dimension, size, step)
    def diagonal(self, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor: return parts.diagonal(self, offset, dim1, dim2)
    def select_scatter(self, src: Any, dim: int, index: int) -> Tensor: return parts.select_scatter(self, src, dim, index)
    def slice_scatter(self, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Tensor: return parts.slice_scatter(self, src, dim, start, end, step)
    def diagonal_scatter(self, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor: return parts.diagonal_scatter(self, src, offset, dim1, dim2)
    def diag(self, diagonal: int = 0) -> Tensor: return dia.diag(self, diagonal)
    def diag_embed(self, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor: return dia.diag_embed(self, offset, dim1, dim2)
    def diagflat(self, offset: int = 0) -> Tensor: return dia.diagflat(self, offset)
    def trace(self) -> Tensor: return dia.trace(self)
    def tril(self, diagonal: int = 0) -> Tensor: return dia.tril(self, diagonal)
    def triu(self, diagonal: int = 0) -> Tensor: return dia.triu(self, diagonal)
    def fill_diagonal_(self, fill_value: float, wrap: bool = False) -> Tensor: return dia.fill_diagonal_(self, fill_value, wrap)
    def tril_(self, diagonal: int = 0) -> Tensor: return _into(self, dia.tril, diagonal)
    def triu_(self, diagonal: int = 0) -> Tensor: return _into(self, dia.triu, diagonal)

    # -- its own shape -------------------------------------------------------------------------------
    def squeeze_(self, dim: Any = None) -> Tensor: return vw.become(self, sh.squeeze(self, dim))
    def unsqueeze_(self, dim: int) -> Tensor: return vw.become(self, sh.unsqueeze(self, dim))
    def transpose_(self, dim0: int, dim1: int) -> Tensor: return vw.become(self, sh.transpose(self, dim0, dim1))
    def swapaxes_(self, axis0: int, axis1: int) -> Tensor: return vw.become(self, sh.transpose(self, axis0, axis1))
    def swapdims_(self, dim0: int, dim1: int) -> Tensor: return vw.become(self, sh.transpose(self, dim0, dim1))
    def t_(self) -> Tensor: return vw.become(self, sh.t(self))
    def as_strided_(self, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor: return vw.become(self, st.as_strided(self, size, stride, storage_offset))
    def resize_(self, *sizes: Any, memory_format: Any = None) -> Tensor: return vw.resize_(self, *sizes, memory_format=memory_format)
    def resize_as_(self, the_template: Any, *, memory_format: Any = None) -> Tensor: return vw.resize_(self, the_template.shape, memory_format=memory_format)

    # -- indexing ------------------------------------------------------------------------------------
    def __getitem__(self, key: Any) -> Tensor: return subscript.getitem(self, key)
    def __setitem__(self, key: Any, value: Any) -> None: subscript.setitem(self, key, value)
    def gather(self, dim: int, index: Any, *, sparse_grad: bool = False) -> Tensor: return ix.gather(self, dim, index, sparse_grad=sparse_grad)
    def scatter(self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor: return ix.scatter(self, dim, index, src, value=value, reduce=reduce)
    def scatter_(self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor: return ix.scatter_(self, dim, index, src, value=value, reduce=reduce)
    def scatter_add(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter_add(self, dim, index, src)
    def scatter_add_(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter_add_(self, dim, index, src)
    def scatter_reduce(self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Tensor: return sc.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)
    def scatter_reduce_(self, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Tensor: return _into(self, sc.scatter_reduce, dim, index, src, reduce, include_self=include_self)
    def index_select(self, dim: int, index: Any) -> Tensor: return ix.index_select(self, dim, index)
    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor: return sl.index_add(self, dim, index, source, alpha=alpha)
    def index_add_(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor: return sl.index_add_(self, dim, index, source, alpha=alpha)
    def index_copy(self, dim: int, index: Any, source: Any) -> Tensor: return sl.index_copy(self, dim, index, source)
    def index_copy_(self, dim: int, index: Any, source: Any) -> Tensor: return sl.index_copy_(self, dim, index, source)
    def index_fill(self, dim: int, index: Any, value: Any) -> Tensor: return sl.index_fill(self, dim, index, value)
    def index_fill_(self, dim: int, index: Any, value: Any) -> Tensor: return sl.index_fill_(self, dim, index, value)
    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> Tensor: return subscript.index_put(self, indices, values, accumulate)
    def index_put_(self, indices: Any, values: Any, accumulate: bool = False) -> Tensor: return subscript.index_put_(self, indices, values, accumulate)
    def index_reduce(self, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Tensor: return sc.index_reduce(self, dim, index, source, reduce, include_self=include_self)
    def index_reduce_(self, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Tensor: return _into(self, sc.index_reduce, dim, index, source, reduce, include_self=include_self)
    def masked_select(self, mask: Any) -> Tensor: return pk.masked_select(self, mask)
    def masked_scatter(self, mask: Any, source: Any) -> Tensor: return pk.masked_scatter(self, mask, source)
    def masked_scatter_(self, mask: Any, source: Any) -> Tensor: return pk.masked_scatter_(self, mask, source)
    def take(self, index: Any) -> Tensor: return pk.take(self, index)
    def take_along_dim(self, indices: Any, dim: int | None = None) -> Tensor: return ix.take_along_dim(self, indices, dim)
    def put(self, index: Any, source: Any, accumulate: bool = False) -> Tensor: return pk.put(self, index, source, accumulate)
    def put_(self, index: Any, source: Any, accumulate: bool = False) -> Tensor: return pk.put_(self, index, source, accumulate)
    def nonzero(self, *, as_tuple: bool = False) -> Any: return pk.nonzero(self, as_tuple=as_tuple)
    def nonzero_static(self, *, size: int, fill_value: int = -1) -> Tensor: return pk.nonzero_static(self, size=size, fill_value=fill_value)
    def argwhere(self) -> Tensor: return pk.argwhere(self)

    # -- sorting -------------------------------------------------------------------------------------
    def sort(self, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any: return so.sort(self, dim, descending, stable=stable)
    def argsort(self, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor: return so.argsort(self, dim, descending, stable=stable)
    def msort(self) -> Tensor: return so.msort(self)
    def topk(self, k: int, dim: int | None = None, largest: bool = True, sorted: bool = True) -> Any: return so.topk(self, k, dim, largest, sorted)
    def unique(self, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any: return so.unique(self, sorted, return_inverse, return_counts, dim)
    def unique_consecutive(self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> Any: return so.unique_consecutive(self, return_inverse, return_counts, dim)

    # -- products ------------------------------------------------------------------------------------
    def __matmul__(self, other: Any) -> Tensor: return la.matmul(self, other)
    def __rmatmul__(self, other: Any) -> Tensor: return la.matmul(other, self)
    def matmul(self, other: Any) -> Tensor: return la.matmul(self, other)
    def mm(self, mat2: Any) -> Tensor: return la.mm(self, mat2)
    def bmm(self, mat2: Any) -> Tensor: return la.bmm(self, mat2)
    def mv(self, vec: Any) -> Tensor: return la.mv(self, vec)
    def dot(self, tensor: Any) -> Tensor: return la.dot(self, tensor)
    def vdot(self, other: Any) -> Tensor: return la.vdot(self, other)
    def inner(self, other: Any) -> Tensor: return la.inner(self, other)
    def outer(self, vec2: Any) -> Tensor: return la.outer(self, vec2)
    def ger(self, vec2: Any) -> Tensor: return la.outer(self, vec2)
    def addmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.addmm(self, mat1, mat2, beta=beta, alpha=alpha)
    def addmm_(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return _into(self, la.addmm, mat1, mat2, beta=beta, alpha=alpha)
    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.addmv(self, mat, vec, beta=beta, alpha=alpha)
    def addmv_(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return _into(self, la.addmv, mat, vec, beta=beta, alpha=alpha)
    def addr(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.addr(self, vec1, vec2, beta=beta, alpha=alpha)
    def addr_(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return _into(self, la.addr, vec1, vec2, beta=beta, alpha=alpha)
    def addbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.addbmm(self, batch1, batch2, beta=beta, alpha=alpha)
    def addbmm_(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return _into(self, la.addbmm, batch1, batch2, beta=beta, alpha=alpha)
    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.baddbmm(self, batch1, batch2, beta=beta, alpha=alpha)
    def baddbmm_(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return _into(self, la.baddbmm, batch1, batch2, beta=beta, alpha=alpha)
    def kron(self, other: Any) -> Tensor: return pr.kron(self, other)
    def cross(self, other: Any, dim: int | None = None) -> Tensor: return pr.cross(self, other, dim)
    def matrix_power(self, n: int) -> Tensor: return pr.matrix_power(self, n)

    # -- matrices ------------------------------------------------------------------------------------
    def inverse(self) -> Tensor: return solving.inv(self)
    def pinverse(self, rcond: float = 1e-15) -> Tensor: return dc.pinverse(self, rcond)
    def det(self) -> Tensor: return solving.det(self)
    def logdet(self) -> Tensor: return solving.logdet(self)
    def slogdet(self) -> Any: return solving.slogdet(self)
    def lu(self, pivot: bool = True, get_infos: bool = False) -> Any: return lu.old_lu(self, pivot, get_infos)
    def lu_solve(self, LU_data: Any, LU_pivots: Any) -> Tensor: return lu.old_lu_solve(self, LU_data, LU_pivots)
    def matrix_exp(self) -> Tensor: return mexp.matrix_exp(self)
    def cholesky(self, upper: bool = False) -> Tensor: return tri.cholesky(self, upper=upper)
    def cholesky_solve(self, input2: Any, upper: bool = False) -> Tensor: return tri.cholesky_solve(self, input2, upper)
    def cholesky_inverse(self, upper: bool = False) -> Tensor: return tri.cholesky_inverse(self, upper)
    def triangular_solve(self, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any: return tri.triangular_solve(self, A, upper, transpose, unitriangular)
    def geqrf(self) -> Any: return hh.geqrf(self)
    def ormqr(self, input2: Any, input3: Any, left: bool = True, transpose: bool = False) -> Tensor: return hh.ormqr(self, input2, input3, left, transpose)
    def orgqr(self, input2: Any) -> Tensor: return hh.householder_product(self, input2)
    def qr(self, some: bool = True) -> Any: return dc.old_qr(self, some)
    def svd(self, some: bool = True, compute_uv: bool = True) -> Any: return dc.old_svd(self, some, compute_uv)
