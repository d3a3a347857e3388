"""Training steps in ordinary PyTorch style; the same source runs on genesis and on torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

Step = Callable[[], Any]


def mlp(fw: Any, batch: int = 64, width: int = 256) -> Step:
    """784 - width - 10 with ReLU, cross-entropy, AdamW and a LambdaLR schedule."""
    nn, optim, functional = _modules(fw)
    fw.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))
    x, y = fw.randn(batch, 784), fw.randint(0, 10, (batch,))
    return _step(fw, optim, model.parameters(), lambda: functional.cross_entropy(model(x), y))


def gpt(
    fw: Any, d: int = 128, layers: int = 4, heads: int = 4, length: int = 64, batch: int = 12, vocab: int = 65
) -> Step:
    """A GPT of ``layers`` pre-norm blocks with causal attention, trained on random text."""
    nn, optim, functional = _modules(fw)
    fw.manual_seed(0)

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
        fw, optim, model.parameters(), lambda: functional.cross_entropy(model(x).view(-1, vocab), y.view(-1))
    )


def cnn(fw: Any, batch: int = 64, width: int = 32) -> Step:
    """Two 3x3 convolutions on 28 x 28 images, a pool, two linear layers: a first network for digits."""
    nn, optim, functional = _modules(fw)
    fw.manual_seed(0)
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
    return _step(fw, optim, model.parameters(), lambda: functional.cross_entropy(model(x), y))


def _modules(fw: Any) -> tuple[Any, Any, Any]:
    name = fw.__name__
    return import_module(f"{name}.nn"), import_module(f"{name}.optim"), import_module(f"{name}.nn.functional")


def _step(fw: Any, optim: Any, parameters: Any, loss_of: Callable[[], Any]) -> Step:
    # torch's fused AdamW is its fastest on a CPU; genesis takes the argument too
    optimizer = optim.AdamW(parameters, lr=3e-4, fused=True)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(step / 1e4)))

    def step() -> Any:
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    return step


WORKLOADS: dict[str, Callable[[Any], Step]] = {
    "MLP 784-256-10, batch 64": mlp,
    "MLP 784-256-10, batch 512": lambda fw: mlp(fw, batch=512),
    "CNN 3x3 32-64, batch 64": cnn,
    "GPT d128 L4 h4 T64, batch 12": gpt,
    "GPT d384 L6 h6 T256, batch 8": lambda fw: gpt(fw, d=384, layers=6, heads=6, length=256, batch=8),
}
QUICK: dict[str, Callable[[Any], Step]] = {
    "MLP 784-256-10, batch 64": mlp,
    "CNN 3x3 8-16, batch 4": lambda fw: cnn(fw, batch=4, width=8),
    "GPT d32 L2 h2 T16, batch 4": lambda fw: gpt(fw, d=32, layers=2, heads=2, length=16, batch=4),
}
