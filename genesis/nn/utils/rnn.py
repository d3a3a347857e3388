"""Sequences of several lengths in one batch: padded to one length, or packed without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import genesis
from genesis import ops
from genesis._errors import ShapeError
from genesis._lazy import missing
from genesis._tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """A batch of sequences without padding: all first elements, then all second ones, and so on.

    ``pack_padded_sequence`` and ``pack_sequence`` make it, recurrent layers take and return it.

    Attributes:
        data: the elements, (sum of the lengths, *).
        batch_sizes: int64, how many sequences have a step t; they never grow.
        sorted_indices: where each sequence, longest first, stood in the batch; None if they stood so.
        unsorted_indices: the inverse of ``sorted_indices``.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:  # PackedSequence((data, batch_sizes))
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """``data`` on another device or of another dtype, see ``Tensor.to``; indices follow the device."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [None if t is None else t.to(data.device) for t in self[2:]]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self) -> PackedSequence:
        """On the CPU."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> PackedSequence:
        """On a CUDA device."""
        return self.to("cuda" if device is None else device)

    def double(self) -> PackedSequence:
        """With ``data`` as float64."""
        return self.to(genesis.float64)

    def float(self) -> PackedSequence:
        """With ``data`` as float32."""
        return self.to(genesis.float32)

    def long(self) -> PackedSequence:
        """With ``data`` as int64."""
        return self.to(genesis.int64)

    def int(self) -> PackedSequence:
        """With ``data`` as int32."""
        return self.to(genesis.int32)

    def short(self) -> PackedSequence:
        """With ``data`` as int16."""
        return self.to(genesis.int16)

    def char(self) -> PackedSequence:
        """With ``data`` as int8."""
        return self.to(genesis.int8)

    def byte(self) -> PackedSequence:
        """With ``data`` as uint8."""
        return self.to(genesis.uint8)

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a CUDA device."""
        return self.data.device.type == "cuda"


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``, a 1-D tensor of indices; None for None."""
    return None if permutation is None else ops.argsort(permutation)


def _by_index(values: Sequence[int], like: Tensor) -> Tensor:
    return genesis.tensor(values, dtype=genesis.int64, device=like.device)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Take the padding out of a batch of sequences.

    Args:
        input: (T, B, *), or (B, T, *) with ``batch_first``.
        lengths: of each sequence, B whole numbers from 1 to T.
        batch_first: whether the batch is the first dimension.
        enforce_sorted: refuse lengths that are not in decreasing order; with False they are sorted, and the
            result remembers the order.

    Raises:
        RuntimeError: the lengths do not fit the input, or are not sorted although they have to be.
    """
    counts = [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    if input.dim() < 2:
        raise ShapeError(f"pack_padded_sequence: expected at least 2 dimensions, got {tuple(input.shape)}")
    steps, batch = (input.shape[1], input.shape[0]) if batch_first else input.shape[:2]
    if len(counts) != batch:
        raise RuntimeError(f"expected as many lengths as the batch is large, {batch}, but got {len(counts)}")
    if not counts:
        raise RuntimeError("cannot pack empty tensors")
    if min(counts) <= 0:
        raise RuntimeError(f"length of all samples has to be greater than 0, but got {min(counts)}")
    if max(counts) > steps:
        raise RuntimeError(f"a sequence is {max(counts)} long, but the input has {steps} steps")
    order = list(range(batch))
    if not enforce_sorted:
        order.sort(key=lambda i: -counts[i])
    ordered = [counts[i] for i in order]
    if any(a < b for a, b in pairwise(ordered)):
        raise RuntimeError(
            "lengths must be sorted in decreasing order when enforce_sorted is True; pass "
            f"enforce_sorted=False to have them sorted; got {counts}"
        )
    sizes = [sum(n > t for n in ordered) for t in range(ordered[0])]
    rows = input.flatten(0, 1)
    if batch_first:
        index = [order[b] * steps + t for t, n in enumerate(sizes) for b in range(n)]
    else:
        index = [t * batch + order[b] for t, n in enumerate(sizes) for b in range(n)]
    if index != list(range(rows.shape[0])):
        rows = rows.index_select(0, _by_index(index, input))
    return PackedSequence(rows, _by_index(sizes, input), None if enforce_sorted else _by_index(order, input))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Pad a packed batch to one length; the inverse of ``pack_padded_sequence``.

    Args:
        sequence: what to pad.
        batch_first: whether the batch is the first dimension of the result.
        padding_value: what stands behind the end of a sequence.
        total_length: pad to this length, instead of that of the longest sequence.

    Returns:
        (T, B, *) or (B, T, *), and the lengths (int64), both in the order before packing.

    Raises:
        ValueError: ``total_length`` is less than the longest sequence.
    """
    sizes = sequence.batch_sizes.tolist()
    steps, batch = len(sizes), sizes[0]
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                f"expected total_length to be at least the length of the longest sequence, {steps}, "
                f"got {total_length}"
            )
        steps = total_length
    data = sequence.data
    counts = [sum(n > b for n in sizes) for b in range(batch)]
    place = list(range(batch)) if sequence.unsorted_indices is None else sequence.unsorted_indices.tolist()
    starts = list(accumulate(sizes, initial=0))
    nothing = data.shape[0]  # the row of padding behind all others

    def row(t: int, b: int) -> int:
        return starts[t] + place[b] if t < counts[place[b]] else nothing

    if batch_first:
        index = [row(t, b) for b in range(batch) for t in range(steps)]
        shape = (batch, steps)
    else:
        index = [row(t, b) for t in range(steps) for b in range(batch)]
        shape = (steps, batch)
    if nothing in index:
        padding = genesis.full((1, *data.shape[1:]), padding_value, dtype=data.dtype, device=data.device)
        data = ops.cat([data, padding])
    if index != list(range(data.shape[0])):
        data = data.index_select(0, _by_index(index, data))
    lengths = _by_index([counts[b] for b in place], sequence.batch_sizes)
    return data.reshape(*shape, *data.shape[1:]), lengths


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences (L, *) of several lengths, padded to the longest.

    Args:
        sequences: B tensors that differ in the first dimension only.
        batch_first: give (B, T, *) instead of (T, B, *).
        padding_value: what fills the rest.
        padding_side: ``"right"`` pads behind the end, ``"left"`` before the beginning.

    Raises:
        RuntimeError: there are no sequences, their other dimensions differ, or there is no such side.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(f"pad_sequence: expected several tensors, got {type(sequences).__name__}")
    found = tuple(sequences)
    if not found:
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"pad_sequence: padding_side must be 'left' or 'right', got {padding_side!r}")
    rest = found[0].shape[1:]
    for x in found:
        if x.shape[1:] != rest:
            raise ShapeError(
                f"pad_sequence: all but the first dimension must agree, got {[tuple(x.shape) for x in found]}"
            )
    longest = max(x.shape[0] for x in found)
    padded = []
    for x in found:
        missing = longest - x.shape[0]
        if missing:
            fill = genesis.full((missing, *rest), padding_value, dtype=x.dtype, device=x.device)
            x = ops.cat([x, fill] if padding_side == "right" else [fill, x])
        padded.append(x)
    return ops.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The first ``lengths[b]`` elements of each sequence of a padded batch, as a list."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    counts = lengths.tolist()
    if len(counts) != padded_sequences.shape[0]:
        raise ValueError(f"unpad_sequence: {padded_sequences.shape[0]} sequences, but {len(counts)} lengths")
    return [x[:n] for x, n in zip(padded_sequences, counts, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, *) of several lengths; the arguments are those of ``pack_padded_sequence``."""
    lengths = [x.shape[0] for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch as a list, in the order before packing."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
