"""``Embedding``: a table of vectors, looked up by index."""

from __future__ import annotations

from typing import Any

from genesis import empty, no_grad
from genesis._dtypes import dtype as DType
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn import init
from genesis.nn._checks import check_padding_index, refuse_embedding_options
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter


class Embedding(Module):
    """Looks up a vector for each index.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: length of each vector.
        padding_idx: a row that starts at zero and receives no gradient; negative counts from the end.
        max_norm, norm_type, scale_grad_by_freq, sparse: accepted at their defaults only, to keep
            PyTorch's order of arguments.
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
        refuse_embedding_options(max_norm, norm_type, scale_grad_by_freq, sparse)
        if padding_idx is not None:
            padding_idx = check_padding_index(padding_idx, num_embeddings)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
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
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """Make an ``Embedding`` of a table ``(num_embeddings, embedding_dim)``.

        Args:
            embeddings: the table; it is used as it is, not copied.
            freeze: whether it stays fixed (``requires_grad=False``).
            padding_idx: see the class; the row itself is left as given.
        """
        if embeddings.dim() != 2:
            raise ShapeError(
                f"from_pretrained needs a table of 2 dimensions, got shape {tuple(embeddings.shape)}"
            )
        rows, width = embeddings.shape
        return cls(rows, width, padding_idx, _weight=embeddings, _freeze=freeze)

    def reset_parameters(self) -> None:
        """Draw a new table; the padding row becomes zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].zero_()

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
