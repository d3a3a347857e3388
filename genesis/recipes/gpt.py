"""A small GPT: a decoder-only transformer that predicts the next character."""

from __future__ import annotations

import genesis
from genesis import nn
from genesis.nn import functional as F


class Block(nn.Module):
    """Attention to earlier positions, then a network at each position, both added to their input.

    Args:
        width: Numbers that stand for a character.
        heads: Parts of them that attend by themselves.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def attend(self, x: genesis.Tensor) -> genesis.Tensor:
        """Mix each position (batch, length, width) with those before it."""
        batch, length, width = x.shape
        parts = self.qkv(x).split(width, dim=2)
        query, key, value = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for part in parts
        )
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        y: genesis.Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return y

    def forward(self, x: genesis.Tensor) -> genesis.Tensor:
        x = x + self.attend(self.norm1(x))
        y: genesis.Tensor = x + self.down(F.gelu(self.up(self.norm2(x))))
        return y


class GPT(nn.Module):
    """Predict the next character at every position.

    Args:
        vocabulary: How many different characters there are.
        length: The longest text that it sees at once.
        width, layers, heads: Its size; see `Block`.

    Reference: A. Radford et al., Language Models are Unsupervised Multitask Learners, 2019.
    """

    def __init__(self, vocabulary: int, length: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.length = length
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, tokens: genesis.Tensor) -> genesis.Tensor:
        """Return scores (batch, length, vocabulary) for tokens (batch, length)."""
        places = genesis.arange(tokens.shape[1], device=tokens.device)
        scores: genesis.Tensor = self.head(self.norm(self.blocks(self.token(tokens) + self.position(places))))
        return scores

    def sample(
        self, tokens: genesis.Tensor, count: int, temperature: float, generator: genesis.Generator
    ) -> genesis.Tensor:
        """Continue a text.

        Args:
            tokens: The beginning, (1, length).
            count: How many characters to add.
            temperature: Below 1 it prefers what is likely, above 1 it is adventurous.
            generator: The source of randomness.
        """
        with genesis.no_grad():
            for _ in range(count):
                scores = self(tokens[:, -self.length :])[:, -1] / temperature
                chosen = genesis.multinomial(scores.softmax(-1), 1, generator=generator)
                tokens = genesis.cat([tokens, chosen], dim=1)
        return tokens
