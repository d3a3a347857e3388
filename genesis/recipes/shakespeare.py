"""Text: a small GPT on seven tragedies of Shakespeare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import genesis
from genesis import nn
from genesis.data import CharDataset, DataLoader, load_shakespeare
from genesis.nn import functional as F
from genesis.recipes.gpt import GPT
from genesis.recipes.recipe import Recipe


class Shakespeare(Recipe):
    """Predict the next character of Shakespeare."""

    epochs = 3
    batch_size = 32
    lr = 4e-3
    optimizer_options: ClassVar[Mapping[str, Any]] = {"weight_decay": 0.1, "betas": (0.9, 0.99)}
    clip = 1.0
    measure = "validation_loss"
    better = min

    length = 64
    width, layers, heads = 96, 3, 4

    def __init__(self) -> None:
        text = load_shakespeare()
        cut = len(text) * 19 // 20
        self.data = self.text = CharDataset(text[:cut], self.length, stride=self.length)
        self.validation = CharDataset(text[cut:], self.length, self.text.vocabulary, stride=self.length)
        self.data_note = f"Shakespeare, {cut} + {len(text) - cut} characters"

    def model(self) -> nn.Module:
        return GPT(self.text.vocab_size, self.length, self.width, self.layers, self.heads)

    def loss(self, model: nn.Module, batch: Any) -> genesis.Tensor:
        tokens, following = batch
        return F.cross_entropy(model(tokens).view(-1, self.text.vocab_size), following.view(-1))

    def evaluate(self, model: nn.Module, device: genesis.device) -> float:
        total = 0.0
        with genesis.no_grad():
            for x, y in DataLoader(self.validation, batch_size=64):
                total += self.loss(model, (x.to(device), y.to(device))).item() * len(x)
        return total / len(self.validation)

    def show(self, model: nn.Module, device: genesis.device, seed: int) -> str:
        assert isinstance(model, GPT)
        start = self.text.encode("\n").view(1, -1).to(device)
        generator = genesis.Generator().manual_seed(seed)
        tokens = model.sample(start, count=400, temperature=0.8, generator=generator)
        return self.text.decode(tokens[0]).strip()
