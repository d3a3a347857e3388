"""A language model of today's parts: rotary positions, RMSNorm, grouped heads, and a mixture of experts.

python docs/examples/scripts/moe_lm.py --steps 100 --sample 80
"""

import argparse
import gzip
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Config:
    vocabulary: int = 64
    width: int = 32
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    experts: int = 4
    top_k: int = 2
    context: int = 32
    eps: float = 1e-5


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Pairs of channels turned by an angle that grows with the position (Su and others, arXiv 2104.09864)."""
    a, b = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2).type_as(x)


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.heads, self.kv_heads, self.dim = c.heads, c.kv_heads, c.width // c.heads
        self.wq = nn.Linear(c.width, c.heads * self.dim, bias=False)
        self.wk = nn.Linear(c.width, c.kv_heads * self.dim, bias=False)
        self.wv = nn.Linear(c.width, c.kv_heads * self.dim, bias=False)
        self.wo = nn.Linear(c.heads * self.dim, c.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        b, t, _ = x.shape
        q, k, v = (w(x).view(b, t, -1, self.dim).transpose(1, 2) for w in (self.wq, self.wk, self.wv))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (each.repeat_interleave(self.heads // self.kv_heads, dim=1) for each in (k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.wo(y.transpose(1, 2).contiguous().view(b, t, -1))


class Expert(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.w1, self.w3 = (nn.Linear(c.width, 2 * c.width, bias=False) for _ in range(2))
        self.w2 = nn.Linear(2 * c.width, c.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class MixtureOfExperts(nn.Module):
    """Every token goes to the ``top_k`` experts that its gate prefers."""

    def __init__(self, c: Config):
        super().__init__()
        self.top_k, self.count = c.top_k, c.experts
        self.gate = nn.Linear(c.width, c.experts, bias=False)
        self.experts = nn.ModuleList([Expert(c) for _ in range(c.experts)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        flat = x.view(-1, x.shape[-1])
        chances = F.softmax(self.gate(flat), dim=-1)
        weights, chosen = torch.topk(chances, self.top_k, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        mask = F.one_hot(chosen, num_classes=self.count).permute(2, 1, 0)
        out = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):
            place, token = torch.where(mask[number])
            if len(token):
                out.index_add_(0, token, expert(flat[token]) * weights[token, place, None])
        used = mask.type_as(x).mean(dim=(1, 2))
        return out.view_as(x), self.count * (used * chances.mean(dim=0)).sum()


class Block(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.attention, self.experts = Attention(c), MixtureOfExperts(c)
        self.attention_norm, self.experts_norm = RMSNorm(c.width, c.eps), RMSNorm(c.width, c.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor]:
        x = x + self.attention(self.attention_norm(x), cos, sin)
        y, balance = self.experts(self.experts_norm(x))
        return x + y, balance


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.embedding = nn.Embedding(c.vocabulary, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.width, c.eps)
        self.output = nn.Linear(c.width, c.vocabulary, bias=False)
        self.embedding.weight = self.output.weight
        dim = c.width // c.heads
        turns = 1.0 / (10000.0 ** (torch.arange(0, dim, 2)[: dim // 2].to(torch.get_default_dtype()) / dim))
        angles = torch.outer(torch.arange(c.context), turns)
        self.register_buffer("cos", torch.cos(angles), persistent=False)
        self.register_buffer("sin", torch.sin(angles), persistent=False)
        self.apply(self._init_weights)
        for name, p in self.named_parameters():
            if name.endswith(("w2.weight", "wo.weight")):
                nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * c.layers))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)

    def forward(self, tokens: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x, balance = self.embedding(tokens), 0.0
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        for block in self.blocks:
            x, uneven = block(x, cos, sin)
            balance = balance + uneven
        if targets is None:
            return self.output(self.norm(x[:, [-1], :])), None
        logits = self.output(self.norm(x))
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)
        return logits, loss + 0.01 * balance

    @torch.inference_mode()
    def generate(self, tokens: Tensor, count: int, top_p: float = 0.9) -> Tensor:
        for _ in range(count):
            logits, _ = self(tokens[:, -len(self.cos) :])
            chances, order = torch.sort(F.softmax(logits[:, -1, :], dim=-1), dim=-1, descending=True)
            chances[torch.cumsum(chances, dim=-1) - chances > top_p] = (
                0.0  # the likeliest ones that make top_p
            )
            chances.div_(chances.sum(dim=-1, keepdim=True))
            new = torch.gather(order, -1, torch.multinomial(chances, num_samples=1))
            tokens = torch.cat((tokens, new), dim=1)
        return tokens


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/shakespeare.txt.gz")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--accumulate", type=int, default=2, help="batches in a step")
    parser.add_argument("--sample", type=int, default=80, help="how many characters are made at the end")
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    with gzip.open(args.data, "rt", encoding="utf-8") as file:
        text = file.read()[:200000]
    characters = sorted(set(text))
    numbers = {c: i for i, c in enumerate(characters)}
    data = torch.tensor([numbers[c] for c in text], dtype=torch.long)
    config = Config(vocabulary=len(characters))
    model = Model(config)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=5e-3, betas=(0.9, 0.95))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / 10) * 0.5 * (1 + math.cos(math.pi * step / max(args.steps, 1))),
    )
    losses = []
    for step in range(args.steps):
        for _ in range(args.accumulate):
            at = torch.randint(0, len(data) - config.context - 1, (args.batch_size,))
            parts = torch.stack([data[i : i + config.context + 1] for i in at])
            _, loss = model(parts[:, :-1], parts[:, 1:].contiguous())
            (loss / args.accumulate).backward()
            losses.append(loss.item())
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 10 == 0:
            rate = scheduler.get_last_lr()[0]
            print(f"step {step} | loss {loss.item():.4f} | rate {rate:.2e} | norm {norm:.3f}")

    model.eval()
    made = model.generate(torch.tensor([[numbers["\n"]]]), args.sample)[0]
    print("".join(characters[i] for i in made.tolist()))
    losses.extend(made.double().tolist())
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
