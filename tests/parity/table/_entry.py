"""What an entry of the table says, and how it becomes single cases.

An entry names something by its path (``"add"``, ``"Tensor.add_"``, ``"nn.functional.relu"``, ``"nn.Conv2d"``)
and gives samples of arguments.  NumPy arrays in a sample, however nested, become tensors of both libraries.
Arrays of floats take the element type of the case and get gradients; other arrays keep their own type.
Each sample is run for each element type, and the layouts in memory take turns, so a short entry is many
cases (``GENESIS_PARITY_TABLE=every`` runs each sample in all of them; ``GENESIS_PARITY_SEED=21`` gives other
numbers).

Example:
    Entry("clamp", [S(floats(3, 4), -1, 1), S(floats(3, 4), min=floats(4))])
    Entry("nn.Conv2d", [S(Init(3, 8, 3, padding=1), floats(2, 3, 7, 7))])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: how the arrays of a case lie in memory
LAYOUTS = ("plain", "transposed", "strided")
FLOATS = ("float32", "float64")
#: whether each sample is run for all types in all layouts, which is twice the work
EVERY = os.environ.get("GENESIS_PARITY_TABLE") == "every"
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


class S:
    """The arguments of one call.  A method's first argument is its tensor; a layer's first one an ``Init``.

    ``label`` names the sample where the arguments do not tell it apart.
    """

    def __init__(self, *args: Any, label: str = "", **kwargs: Any) -> None:
        self.args, self.kwargs, self.label = args, kwargs, label


class Init:
    """Arguments of a layer's constructor.  Weights are PyTorch's, copied by ``load_state_dict``.

    ``eval=True`` runs the layer in evaluation mode.
    """

    def __init__(self, *args: Any, eval: bool = False, **kwargs: Any) -> None:
        self.args, self.kwargs, self.eval = args, kwargs, eval


@dataclass(frozen=True)
class Entry:
    """Something to compare.

    Attributes:
        name: its path below ``torch`` and ``genesis``.
        samples: arguments; each is run for all ``dtypes``, and the ``layouts`` take turns.
        dtypes: what arrays of floats are converted to.
        layouts: of ``LAYOUTS``.
        grad: compare gradients, too.
        values: compare values; False for what is random, where only shape and type can agree.
        tolerance: element type -> (rtol, atol) where the defaults are too strict; ``why`` says why.
        errors: calls that both refuse, with the same kind of error.
        call: runs a sample instead of the plain call: ``call(library, function, *args, **kwargs)``, for what
            returns something that is no tensor, or needs steps.
        differs: what a user of PyTorch should know; it is shown in docs/compatibility.md.
    """

    name: str
    samples: Sequence[S]
    dtypes: Sequence[str] = FLOATS
    layouts: Sequence[str] = LAYOUTS
    grad: bool = True
    values: bool = True
    tolerance: dict[str, tuple[float, float]] = field(default_factory=dict)
    why: str = ""
    errors: Sequence[S] = ()
    call: Callable[..., Any] | None = None
    differs: str = ""

    def __post_init__(self) -> None:
        if self.tolerance and not self.why:
            raise ValueError(f"{self.name}: a tolerance of its own needs a reason in why")


@dataclass(frozen=True)
class Case:
    """One call of an entry."""

    entry: Entry
    sample: S
    dtype: str
    layout: str
    id: str


def cases(entries: Sequence[Entry], *, every: bool = EVERY) -> Iterator[Case]:
    """The cases of the entries; their ids are unique.

    Each sample is run once for each type, in a layout of its own each: one is plain, which takes turns. So an
    entry meets all pairs of a type and a layout over a few samples; what fewer samples leave out, the last
    one makes up for. ``every`` gives the whole product.
    """
    seen: dict[str, int] = {}
    for entry in entries:
        met: set[str] = set()
        for i, sample in enumerate(entry.samples):
            arrays = [a for a in leaves((sample.args, sample.kwargs)) if isinstance(a, np.ndarray)]
            floating = any(a.dtype.kind == "f" for a in arrays)
            dtypes = entry.dtypes if floating else ("",)
            layouts = [x for x in entry.layouts if x == "plain" or any(lies_otherwise(a, x) for a in arrays)]
            pairs = [(d, x) for d in dtypes for x in layouts]
            if not every and len(pairs) > 1:
                turn = [(d, layouts[(k + i) % len(layouts)]) for k, d in enumerate(dtypes)]
                if "plain" in layouts and all(x != "plain" for _, x in turn):
                    turn[i % len(turn)] = (turn[i % len(turn)][0], "plain")
                met.update(x for _, x in turn)
                if i == len(entry.samples) - 1:
                    turn += [(dtypes[i % len(dtypes)], x) for x in layouts if x not in met]
                pairs = turn
            for dtype, layout in pairs:
                name = f"{entry.name}-{sample.label or i}-{dtype or 'int'}-{layout}"
                seen[name] = seen.get(name, 0) + 1
                count = f"-{seen[name]}" if seen[name] > 1 else ""
                yield Case(entry, sample, dtype, layout, name + count)


def lies_otherwise(a: np.ndarray, layout: str) -> bool:
    """True when a layout is another one for this array."""
    return a.size > 1 and (layout == "strided" or sum(n > 1 for n in a.shape) > 1)


def leaves(x: Any) -> Iterator[Any]:
    """What is in nested tuples, lists, dicts and the arguments of constructors."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, Init):
        x = [*x.args, *x.kwargs.values()]
    if isinstance(x, list | tuple):
        for y in x:
            yield from leaves(y)
    else:
        yield x


# -- inputs ------------------------------------------------------------------------------------------------
_rng = np.random.default_rng(int(os.environ.get("GENESIS_PARITY_SEED", "20")))


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Distinct numbers between ``low`` and ``high`` in random order, none within 0.001 of an integer."""
    count = int(np.prod(shape))
    values = np.linspace(low, high, count + 2)[1:-1] if count else np.zeros(0)
    close = abs(values - np.round(values)) < 1e-3
    values[close] += 2e-3
    return _rng.permutation(values).reshape(shape)


def positive(*shape: int, low: float = 0.1, high: float = 3.0) -> np.ndarray:
    """Distinct positive numbers in random order."""
    return floats(*shape, low=low, high=high)


def integers(low: int, high: int, *shape: int, dtype: str = "int64") -> np.ndarray:
    """Random integers in [low, high)."""
    return _rng.integers(low, high, shape).astype(dtype)


def bools(*shape: int) -> np.ndarray:
    """Random truth values."""
    return _rng.random(shape) < 0.5
