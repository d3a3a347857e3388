"""A denoising diffusion model (Ho, Jain, Abbeel, arXiv 2006.11239) of digits: a U-Net, told step and class.

python docs/examples/scripts/diffusion.py --steps 300 --sample 10
"""

import argparse
import copy
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class SinusoidalEmbedding(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, t):
        half = self.dim // 2
        scale = torch.exp(torch.arange(half, device=t.device) * (-math.log(10000) / (half - 1)))
        angles = t[:, None] * scale[None, :]
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class Block(nn.Module):
    def __init__(self, channels_in, channels_out, dim, groups=4):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.condition = nn.Sequential(nn.SiLU(), nn.Linear(dim, 2 * channels_out))
        self.norm2 = nn.GroupNorm(groups, channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()

    def forward(self, x, condition):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.condition(condition)[:, :, None, None].chunk(2, dim=1)
        h = self.norm2(h) * (1 + scale) + shift
        return self.conv2(F.silu(h)) + self.skip(x)


class Attention(nn.Module):
    def __init__(self, channels, heads=2):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.attention = nn.MultiheadAttention(channels, heads, batch_first=True)

    def forward(self, x):
        b, c, h, w = x.shape
        y = self.norm(x).flatten(2).transpose(1, 2)
        y, _ = self.attention(y, y, y, need_weights=False)
        return x + y.transpose(1, 2).reshape(b, c, h, w)


class UNet(nn.Module):
    def __init__(self, classes=10, width=8, dim=16):
        super().__init__()
        self.time = nn.Sequential(
            SinusoidalEmbedding(dim), nn.Linear(dim, dim), nn.Mish(), nn.Linear(dim, dim)
        )
        self.label = nn.Embedding(classes + 1, dim)  # the last one: no class
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.down = nn.ModuleList([Block(width, width, dim), Block(width, 2 * width, dim)])
        self.smaller = nn.Conv2d(width, width, 4, stride=2, padding=1)
        self.middle = nn.ModuleList([Attention(2 * width), Block(2 * width, 2 * width, dim)])
        self.larger = nn.Upsample(scale_factor=2, mode="nearest")
        self.up = Block(3 * width, width, dim)
        self.last = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 1, 1))

    def forward(self, x, t, y):
        condition = self.time(t) + self.label(y)
        high = self.down[0](self.first(x), condition)
        low = self.down[1](self.smaller(high), condition)
        low = self.middle[1](self.middle[0](low), condition)
        return self.last(self.up(torch.cat([self.larger(low), high], dim=1), condition))


class Diffusion(nn.Module):
    def __init__(self, model, steps=50, s=0.008):
        super().__init__()
        self.model, self.steps = model, steps
        at = torch.linspace(0, steps, steps + 1, dtype=torch.get_default_dtype()) / steps
        kept = torch.cos((at + s) / (1 + s) * math.pi * 0.5) ** 2
        betas = torch.clip(1 - kept[1:] / kept[:-1], 0, 0.999)
        self.register_buffer("betas", betas)
        self.register_buffer("kept", torch.cumprod(1 - betas, dim=0))
        self.register_buffer("before", F.pad(self.kept[:-1], (1, 0), value=1.0))

    def loss(self, x, y):
        t = torch.randint(0, self.steps, (len(x),))
        noise = torch.randn_like(x)
        kept = self.kept.gather(0, t).reshape(-1, 1, 1, 1)
        y = torch.where(torch.rand(len(x)) < 0.1, torch.full_like(y, 10), y)
        found = self.model(kept.sqrt() * x + (1 - kept).sqrt() * noise, t, y)
        return F.mse_loss(found, noise, reduction="none").mean(dim=(1, 2, 3)).mean()

    @torch.no_grad()
    def sample(self, y, guidance=1.5):
        x = torch.randn(len(y), 1, 8, 8)
        for i in reversed(range(self.steps)):
            t = torch.full((len(y),), i, dtype=torch.long)
            noise = torch.lerp(self.model(x, t, torch.full_like(y, 10)), self.model(x, t, y), guidance)
            beta, kept, before = self.betas[i], self.kept[i], self.before[i]
            start = ((x - (1 - kept).sqrt() * noise) / kept.sqrt()).clamp(-1, 1)
            mean = (before.sqrt() * beta * start + (1 - beta).sqrt() * (1 - before) * x) / (1 - kept)
            x = mean + (beta * (1 - before) / (1 - kept)).sqrt() * torch.randn_like(x) if i else mean
        return x


@torch.no_grad()
def update_ema(ema, model, decay):
    for kept, new in zip(ema.parameters(), model.parameters(), strict=True):
        kept.mul_(decay).add_(new.data, alpha=1 - decay)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/digits.csv.gz")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--sample", type=int, default=10, help="how many images are made at the end")
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    table = np.loadtxt(args.data, delimiter=",")
    images = torch.tensor(table[:, :-1], dtype=torch.get_default_dtype()).view(-1, 1, 8, 8) / 8 - 1
    data = TensorDataset(images, torch.tensor(table[:, -1]).long())
    loader = DataLoader(data, batch_size=args.batch_size, shuffle=True, drop_last=True)

    model = UNet()
    if args.init:
        model.load_state_dict(torch.load(args.init))
    ema = copy.deepcopy(model).eval().requires_grad_(False)
    diffusion = Diffusion(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99))
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(args.steps, 1))
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[5])
    losses, step = [], 0
    while step < args.steps:
        for x, y in loader:
            if step == args.steps:
                break
            loss = diffusion.loss(x, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            update_ema(ema, model, 0.9)
            losses.append(loss.item())
            if step % 50 == 0:
                print(f"step {step}: loss {loss.item():.4f}, rate {scheduler.get_last_lr()[0]:.2e}")
            step += 1

    made = Diffusion(ema).sample(torch.arange(args.sample) % 10)
    for row in (made[0, 0] > 0).tolist():
        print("".join(".#"[on] for on in row))
    losses.append(made.mean().item())
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
