"""What a step cannot do without: its matrix products, and the bytes that it must move.

The floor of a step is the time of its products, each alone, through the fastest of the libraries at hand,
plus its bytes at the bandwidth of a copy. Nothing is measured from the step itself: the products are listed
from the shapes of the layers, forward and backward, and so are the bytes.

Products: ``y = x W'`` forward, ``W.grad = y.grad' x`` and ``x.grad = y.grad W`` backward, without the last
where the input wants no gradient. A convolution is the product of its columns, which are there for nothing.
Attention is six products of each head, of which causal attention needs (T + 1) / 2T; what it computes twice
does not count, nor does the T x T matrix.

Bytes: products read and write their own operands, within their time. All that lies between two products is
one pass over memory: each stage reads its inputs once and writes its outputs once, forward and backward,
however many operations it is (bias, activation, residual, layer norm and the gradients of biases go
together). The optimizer reads parameter, gradient and two moments and writes all but the gradient: 28 bytes a
parameter. All of them go at the bandwidth of a copy between two buffers that together are as large as what
the step holds (16 bytes a parameter, and what the stages write), so that a small step is measured against the
caches and a large one against the memory.

Not in it: the arithmetic between products (exp, tanh and the like), and all that Python does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from processes import seconds_of

#: "nt": (m, k) (n, k)'; "nn": (m, k) (k, n); "tn": (k, m)' (k, n); how many at once; m, k, n
Product = tuple[str, int, int, int, int]


@dataclass
class Cost:
    """Products with how often they come, parameters, floats that are moved and floats that are written."""

    products: Counter[Product] = field(default_factory=Counter)
    parameters: int = 0
    moved: float = 0.0
    kept: float = 0.0

    def linear(self, rows: int, inputs: int, outputs: int, times: int = 1, first: bool = False) -> None:
        """Layers with a weight and a bias; the first of a model needs no gradient of its input."""
        self.products["nt", 1, rows, inputs, outputs] += times
        self.products["tn", 1, outputs, rows, inputs] += times
        if not first:
            self.products["nn", 1, rows, outputs, inputs] += times
        self.parameters += times * (inputs + 1) * outputs

    def stage(self, forward: float, backward: float, written: float, times: int = 1) -> None:
        """A stage between products: floats read and written in both passes, and those of them it writes."""
        self.moved += times * (forward + backward)
        self.kept += times * written

    @property
    def moved_bytes(self) -> float:
        return 28 * self.parameters + 4 * self.moved

    @property
    def held_bytes(self) -> int:
        return int(16 * self.parameters + 4 * self.kept)


def mlp(batch: int = 64, width: int = 256) -> Cost:
    cost, hidden, logits = Cost(), batch * width, batch * 10
    cost.linear(batch, 784, width, first=True)
    cost.linear(batch, width, 10)
    cost.stage(2 * hidden, 3 * hidden, 2 * hidden)  # bias and ReLU; gradient, mask, gradient
    cost.stage(logits, 2 * logits, logits)  # cross-entropy reads them twice and writes their gradient
    return cost


def cnn(batch: int = 64, width: int = 32) -> Cost:
    cost, wide = Cost(), 2 * width
    one, two = batch * width * 26 * 26, batch * wide * 24 * 24
    cost.linear(batch * 26 * 26, 9, width, first=True)
    cost.linear(batch * 24 * 24, 9 * width, wide)
    cost.linear(batch, wide * 144, 128)
    cost.linear(batch, 128, 10)
    cost.stage(2 * one, 3 * one, 2 * one)  # bias and ReLU
    cost.stage(1.25 * two, 1.5 * two, 1.25 * two)  # bias, ReLU and pool; gradient and places of the largest
    cost.stage(2 * batch * 128, 3 * batch * 128, 2 * batch * 128)
    cost.stage(batch * 10, 2 * batch * 10, batch * 10)
    return cost


def gpt(
    d: int = 128, layers: int = 4, heads: int = 4, length: int = 64, batch: int = 12, vocab: int = 65
) -> Cost:
    cost, rows, size, n = Cost(), batch * length, d // heads, batch * heads
    x, logits = rows * d, rows * vocab
    for outputs, inputs in ((3 * d, d), (d, d), (4 * d, d), (d, 4 * d)):
        cost.linear(rows, inputs, outputs, layers)
    cost.linear(rows, d, vocab)
    lower = layers * (length + 1) / (2 * length)
    cost.products["nt", n, length, size, length] += 2 * lower  # type: ignore[assignment]  # q k', o.grad v'
    cost.products["nn", n, length, length, size] += 2 * lower  # type: ignore[assignment]  # p v, s.grad k
    cost.products["tn", n, length, length, size] += 2 * lower  # type: ignore[assignment]  # p' o.grad, s.grad' q
    cost.parameters += (4 * layers + 2) * d + (vocab + length) * d
    cost.stage(2 * x, 2 * x, 2 * x)  # embeddings: a row of the table read and written; added to its gradient
    # bias, residual and layer norm: branch and residual read, their sum and its norm written; backward the
    # gradient of the norm, that of the sum and the sum are read and one gradient is written
    cost.stage(4 * x, 4 * x, 3 * x, 2 * layers + 1)
    cost.stage(8 * x, 12 * x, 8 * x, layers)  # bias and GELU on 4 d: both are kept
    cost.stage(6 * x, 3 * x, 3 * x, layers)  # bias of q, k and v; its gradient
    cost.stage(logits, 2 * logits, logits)
    return cost


def adamw(tensors: int = 1, each: int = 10_000) -> Cost:
    return Cost(parameters=tensors * each)


KINDS: dict[str, Callable[..., Cost]] = {"mlp": mlp, "cnn": cnn, "gpt": gpt, "adamw": adamw}


def product_seconds(framework: str, products: Sequence[Product], seconds: float) -> list[float]:
    """The median time of each product alone, operands warm, in a framework or NumPy."""
    fw = import_module(framework)
    make = fw.random.default_rng(0).standard_normal if framework == "numpy" else None
    found = []
    for layout, many, m, k, n in products:
        shapes = {"nt": ((m, k), (n, k)), "nn": ((m, k), (k, n)), "tn": ((k, m), (k, n))}[layout]
        lead = (many,) if many > 1 else ()
        a, b = (make((*lead, *s), "float32") if make else fw.randn(*lead, *s) for s in shapes)
        a, b = (_turned(z) if letter == "t" else z for z, letter in zip((a, b), layout, strict=True))
        found.append(seconds_of(_until_over(fw, _product(fw, a, b)), seconds))
    return found


def _turned(z: Any) -> Any:
    return z.swapaxes(-1, -2)


def _product(fw: Any, a: Any, b: Any) -> Callable[[], Any]:
    if fw.__name__ == "genesis":
        return lambda: a @ b  # its memory is used again
    out = a @ b
    return lambda: fw.matmul(a, b, out=out)


def _until_over(fw: Any, call: Callable[[], Any]) -> Callable[[], Any]:
    """The call, and what it started: what Genesis computes may go on when a call returns."""
    if not hasattr(fw, "cpu"):  # NumPy
        return call

    def both() -> None:
        call()
        fw.cpu.synchronize()

    return both


def copy_seconds(framework: str, size: int, seconds: float) -> float:
    """The median time of a copy between two buffers of together ``size`` bytes."""
    fw = import_module(framework)
    count = max(1, size // 8)
    source, target = (fw.ones(count, dtype=fw.float32) for _ in range(2))
    if framework == "numpy":
        return seconds_of(lambda: fw.copyto(target, source), seconds)
    return seconds_of(_until_over(fw, lambda: target.copy_(source)), seconds)
