"""``Embedding`` and ``EmbeddingBag``: a table of vectors, looked up by index."""

from __future__ import annotations

from typing import Any

from genesis import empty, no_grad
from genesis._dtypes import dtype as DType
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn._checks import check_padding_index, refuse_sparse
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class Embedding(Module):
    """Looks up a vector for each index.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: length of each vector.
        padding_idx: a row that starts at zero and receives no gradient; negative counts from the end.
        max_norm: rows that are looked up and have a larger norm are scaled down to it first, in place.
        norm_type: exponent of that norm.
        scale_grad_by_freq: divide the gradient of a row by the number of times it was looked up.
        sparse: not implemented.
        device: where the table is made.
        dtype: its floating-point type.

    Attributes:
        weight: ``(num_embeddings, embedding_dim)``, from N(0, 1).

    Example:
        >>> nn.Embedding(10, 3)(genesis.tensor([[1, 2], [4, 5]])).shape
        (2, 2, 3)
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        refuse_sparse("Embedding", sparse)
        if padding_idx is not None:
            padding_idx = check_padding_index(padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            table = empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(
                    f"Embedding: the given table has shape {tuple(_weight.shape)}, expected "
                    f"(num_embeddings, embedding_dim) = {(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Make an ``Embedding`` of a table ``(num_embeddings, embedding_dim)``.

        Args:
            embeddings: the table; it is used as it is, not copied.
            freeze: whether it stays fixed (``requires_grad=False``).
            padding_idx: see the class; the row itself is left as given.
            max_norm, norm_type, scale_grad_by_freq, sparse: see the class.
        """
        rows, width = table_shape(embeddings)
        return cls(
            rows,
            width,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        """Draw a new table; the padding row becomes zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].zero_()

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        return shown(self, (("padding_idx", None), ("max_norm", None), ("norm_type", 2), *RARE))


RARE = (("scale_grad_by_freq", False), ("sparse", False))


def shown(layer: Embedding | EmbeddingBag, options: tuple[tuple[str, Any], ...]) -> str:
    """The sizes of a table, and the options that do not have their default."""
    text = f"{layer.num_embeddings}, {layer.embedding_dim}"
    for name, default in options:
        value = getattr(layer, name)
        if value != default:
            text += f", {name}={value}"
    return text


class TableShapeError(ShapeError, AssertionError):
    """A given table has another number of dimensions than two."""


def table_shape(embeddings: Tensor) -> tuple[int, int]:
    """Rows and width of a given table."""
    if embeddings.dim() != 2:
        raise TableShapeError(
            f"from_pretrained needs a table of 2 dimensions, got shape {tuple(embeddings.shape)}"
        )
    rows, width = embeddings.shape
    return rows, width


class EmbeddingBag(Module):
    """Sums, means or maxima of the vectors of bags of indices.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: length of each vector.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in ``Embedding``.
        mode: ``"mean"``, ``"sum"`` or ``"max"``.
        include_last_offset: the last offset is the end, not the start of a bag.
        padding_idx: indices of this value are left out; its row starts at zero.
        device: where the table is made.
        dtype: its floating-point type.

    Attributes:
        weight: ``(num_embeddings, embedding_dim)``, from N(0, 1).

    Example:
        >>> nn.EmbeddingBag(10, 3)(genesis.tensor([1, 2, 4, 5, 4]), genesis.tensor([0, 3])).shape
        (2, 3)
    """

    num_embeddings: int
    embedding_dim: int
    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    mode: str
    sparse: bool
    include_last_offset: bool
    padding_idx: int | None
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        refuse_sparse("EmbeddingBag", sparse)
        if padding_idx is not None:
            padding_idx = check_padding_index(padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        self.padding_idx = padding_idx
        if _weight is None:
            self.weight = Parameter(empty((num_embeddings, embedding_dim), device=device, dtype=dtype))
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise TableShapeError(
                    f"EmbeddingBag: the given table has shape {tuple(_weight.shape)}, expected "
                    f"{(num_embeddings, embedding_dim)}"
                )
            self.weight = Parameter(_weight)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Make an ``EmbeddingBag`` of a table ``(num_embeddings, embedding_dim)``, which is not copied.

        Args:
            embeddings: the table.
            freeze: whether it stays fixed.
            max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx: see the
                class.
        """
        rows, width = table_shape(embeddings)
        bag = cls(
            rows,
            width,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            embeddings,
            include_last_offset,
            padding_idx,
        )
        bag.weight.requires_grad_(not freeze)
        return bag

    def reset_parameters(self) -> None:
        """Draw a new table; the padding row becomes zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].zero_()

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        first = shown(self, (("max_norm", None), ("norm_type", 2), *RARE))
        last = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{first}, mode={self.mode!r}{last}"
