"""What the benchmarks time, in ordinary PyTorch style; the same source runs on genesis and on torch.

A workload is a kind and its sizes: ``KINDS[kind](fw, options, **sizes)`` makes what is called again and
again. The kinds have namesakes in jax_workloads.py (the same step for jax) and in floors.py (what it cannot
do without).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Step = Callable[[], Any]
Options = Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """A line of the table.

    Attributes:
        name: As the table shows it.
        kind, sizes: Which of ``KINDS``, and its arguments.
        group: Workloads of one group run in the same process; "" for a process of its own.
        at_most, reach: The largest time(genesis) / time(torch) that is good enough, and what to reach for.
    """

    name: str
    kind: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    at_most: float | None = None
    reach: float | None = None


def mlp(fw: Any, options: Options, batch: int = 64, width: int = 256) -> Step:
    """784 - width - 10 with ReLU, cross-entropy, AdamW and a LambdaLR schedule."""
    nn, functional = _modules(fw)
    model = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))
    x, y = fw.randn(batch, 784), fw.randint(0, 10, (batch,))
    return _step(fw, options, model.parameters(), lambda: functional.cross_entropy(model(x), y))


def gpt(
    fw: Any,
    options: Options,
    d: int = 128,
    layers: int = 4,
    heads: int = 4,
    length: int = 64,
    batch: int = 12,
    vocab: int = 65,
) -> Step:
    """A GPT of ``layers`` pre-norm blocks with causal attention, trained on random text."""
    nn, functional = _modules(fw)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
            self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x: Any) -> Any:
            n, t, c = x.shape
            q, k, v = self.qkv(self.norm1(x)).split(c, dim=2)
            q, k, v = (z.view(n, t, heads, c // heads).transpose(1, 2) for z in (q, k, v))
            a = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(a.transpose(1, 2).reshape(n, t, c))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.position = nn.Embedding(vocab, d), nn.Embedding(length, d)
            self.blocks = nn.Sequential(*[Block() for _ in range(layers)])
            self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, vocab)

        def forward(self, tokens: Any) -> Any:
            places = fw.arange(tokens.shape[1])
            return self.head(self.norm(self.blocks(self.token(tokens) + self.position(places))))

    model = GPT()
    x, y = fw.randint(0, vocab, (batch, length)), fw.randint(0, vocab, (batch, length))
    return _step(
        fw,
        options,
        model.parameters(),
        lambda: functional.cross_entropy(model(x).view(-1, vocab), y.view(-1)),
    )


def cnn(fw: Any, options: Options, batch: int = 64, width: int = 32) -> Step:
    """Two 3x3 convolutions on 28 x 28 images, a pool, two linear layers: a first network for digits."""
    nn, functional = _modules(fw)
    model = nn.Sequential(
        nn.Conv2d(1, width, 3),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * width * 144, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    x, y = fw.randn(batch, 1, 28, 28), fw.randint(0, 10, (batch,))
    return _step(fw, options, model.parameters(), lambda: functional.cross_entropy(model(x), y))


def adamw(fw: Any, options: Options, tensors: int = 1, each: int = 10_000) -> Step:
    """A step of AdamW alone, with gradients that are there."""
    optim = import_module(f"{fw.__name__}.optim")
    parameters = [fw.randn(each).requires_grad_() for _ in range(tensors)]
    for p in parameters:
        p.grad = fw.randn(each)
    optimizer = optim.AdamW(parameters, lr=1e-5, **options)

    def step() -> Any:
        optimizer.step()
        return parameters[0]

    return step


def lambda_lr(fw: Any, options: Options) -> Step:
    """A step of a LambdaLR schedule alone, on the AdamW of a small model."""
    nn, optim = import_module(f"{fw.__name__}.nn"), import_module(f"{fw.__name__}.optim")
    model = nn.Linear(2, 2)
    optimizer = optim.AdamW(model.parameters(), lr=3e-4, **options)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(step / 1e4)))
    model(fw.ones(1, 2)).sum().backward()
    optimizer.step()
    zero = fw.zeros(1)

    def step() -> Any:
        scheduler.step()
        return zero

    return step


OPERATIONS: dict[str, Callable[..., Any]] = {
    "x * y": lambda x, y: x * y,
    "exp": lambda x, y: x.exp(),
    "x @ y": lambda x, y: x @ y,
}


def operation(fw: Any, options: Options, name: str, backward: bool = False) -> Step:
    """A differentiable operation on tensors of 8 elements: the forward pass, or both passes."""
    x, y = fw.randn(2, 4).requires_grad_(), fw.randn(*((4, 2) if "@" in name else (2, 4))).requires_grad_()
    function = OPERATIONS[name]
    seed = fw.ones_like(function(x, y).detach())

    def forward() -> Any:
        return function(x, y)

    def both() -> Any:
        out = function(x, y)
        out.backward(seed)
        x.grad = y.grad = None
        return out

    return both if backward else forward


def module_call(fw: Any, options: Options) -> Step:
    """A call of a linear layer on one row of 8."""
    model, x = import_module(f"{fw.__name__}.nn").Linear(8, 8), fw.randn(1, 8)
    return lambda: model(x)


def _modules(fw: Any) -> tuple[Any, Any]:
    return import_module(f"{fw.__name__}.nn"), import_module(f"{fw.__name__}.nn.functional")


def _step(fw: Any, options: Options, parameters: Any, loss_of: Callable[[], Any]) -> Step:
    optim = import_module(f"{fw.__name__}.optim")
    optimizer = optim.AdamW(parameters, lr=3e-4, **options)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(step / 1e4)))

    def step() -> Any:
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    return step


KINDS: dict[str, Callable[..., Step]] = {
    "mlp": mlp,
    "gpt": gpt,
    "cnn": cnn,
    "adamw": adamw,
    "lambda_lr": lambda_lr,
    "operation": operation,
    "module_call": module_call,
}
#: kinds that train a whole model, and small sizes of them
TINY: dict[str, dict[str, int]] = {
    "mlp": {"batch": 4, "width": 16},
    "gpt": {"d": 32, "layers": 2, "heads": 2, "length": 16, "batch": 4},
    "cnn": {"batch": 4, "width": 8},
}
#: kinds with an optimizer, which torch has more than one of
OPTIMIZED = {*TINY, "adamw"}


def make(framework: str, workload: Workload, options: Options, tiny: bool = False) -> Step:
    """What to call again and again for a workload."""
    sizes = TINY[workload.kind] if tiny else workload.sizes
    if framework == "jax":
        return import_module("jax_workloads").KINDS[workload.kind](**sizes)  # type: ignore[no-any-return]
    fw = import_module(framework)
    fw.manual_seed(0)
    return KINDS[workload.kind](fw, options, **sizes)


LARGE = {"d": 384, "layers": 6, "heads": 6, "length": 256, "batch": 8}
ADAMW, SMALL = "adamw", "operations"
WORKLOADS = [
    Workload("MLP 784-256-10, batch 64", "mlp", at_most=0.60, reach=0.45),
    Workload("MLP 784-256-10, batch 512", "mlp", {"batch": 512}, at_most=0.80, reach=0.65),
    Workload("GPT d128 L4 h4 T64, batch 12", "gpt", at_most=0.75, reach=0.65),
    Workload("GPT d384 L6 h6 T256, batch 8", "gpt", LARGE, at_most=0.92, reach=0.85),
    Workload("CNN 3x3 32-64, batch 64", "cnn", at_most=0.90, reach=0.7),
    Workload("AdamW, 1 tensor of 10 k", "adamw", {"each": 10_000}, ADAMW, 0.4, 0.2),
    Workload("AdamW, 100 tensors of 10 k", "adamw", {"tensors": 100, "each": 10_000}, ADAMW, 0.4, 0.2),
    Workload("AdamW, 1 tensor of 1 M", "adamw", {"each": 1_000_000}, ADAMW, 0.6, 0.5),
    Workload("AdamW, 1 tensor of 10 M", "adamw", {"each": 10_000_000}, ADAMW, 0.85, 0.75),
    Workload("LambdaLR.step", "lambda_lr", {}, SMALL, 0.5, 0.3),
    *(
        Workload(
            f"{name} on 8 elements, {'both passes' if both else 'forward'}",
            "operation",
            {"name": name, "backward": both},
            SMALL,
            1.5,
        )
        for name in OPERATIONS
        for both in (False, True)
    ),
    Workload("nn.Linear(8, 8) on 1 row, forward", "module_call", {}, SMALL, 1.5),
]
QUICK = [
    *(Workload(f"{kind}, small", kind, TINY[kind], "quick") for kind in TINY),
    Workload("AdamW, 2 tensors of 100", "adamw", {"tensors": 2, "each": 100}, "quick"),
    Workload("LambdaLR.step", "lambda_lr", {}, "quick"),
    Workload("x @ y on 8 elements, both passes", "operation", {"name": "x @ y", "backward": True}, "quick"),
]
