"""A vision transformer (Dosovitskiy et al., arXiv 2010.11929) of nn.TransformerEncoder.

python docs/examples/scripts/vit.py --epochs 5
"""

import argparse

import numpy as np
import torch
import torch.nn as nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.utils.data import DataLoader, Dataset, random_split


class Clothes(Dataset):
    def __init__(self, path, count, transform=None):
        with np.load(path) as data:
            self.images, self.labels = data["train_images"][:count], data["train_labels"][:count]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = torch.tensor(self.images[index], dtype=torch.get_default_dtype()).unsqueeze(0) / 255
        if self.transform is not None:
            image = self.transform(image)
        return image, int(self.labels[index])


class PatchEmbedding(nn.Module):
    def __init__(self, size, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(1, dim, kernel_size=patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, (size // patch) ** 2 + 1, dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def forward(self, x):
        x = self.proj(x).flatten(2).transpose(1, 2)
        cls = self.cls_token.expand(x.shape[0], -1, -1)
        return torch.cat([cls, x], dim=1) + self.pos_embed


class ViT(nn.Module):
    def __init__(self, size=28, patch=7, dim=32, depth=2, heads=4, classes=10, dropout=0.1):
        super().__init__()
        self.embed = PatchEmbedding(size, patch, dim)
        layer = nn.TransformerEncoderLayer(
            d_model=dim, nhead=heads, dim_feedforward=2 * dim, dropout=dropout,
            activation="gelu", batch_first=True, norm_first=True,
        )  # fmt: skip
        self.encoder = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(dim), enable_nested_tensor=False)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        return self.head(self.encoder(self.embed(x))[:, 0])


def normalize(image):
    return (image - 0.2860) / 0.3530


def accuracy(model, loader):
    model.eval()
    hits, count = 0, 0
    with torch.inference_mode():
        for images, labels in loader:
            hits += (model(images).argmax(-1) == labels).sum().item()
            count += labels.numel()
    return hits / count


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/fashion_mnist_subset.npz")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)

    torch.manual_seed(0)
    dataset = Clothes(args.data, args.count, transform=normalize)
    held = args.count // 10
    generator = torch.Generator().manual_seed(42)
    train_set, val_set = random_split(dataset, [args.count - held, held], generator=generator)
    train_loader = DataLoader(train_set, args.batch_size, shuffle=True)
    val_loader = DataLoader(val_set, 256)

    model = ViT(dropout=args.dropout)
    if args.init:
        model.load_state_dict(torch.load(args.init))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    total = args.epochs * len(train_loader)
    warmup = max(1, total // 10)
    scheduler = SequentialLR(
        optimizer,
        [LinearLR(optimizer, 0.1, total_iters=warmup), CosineAnnealingLR(optimizer, max(1, total - warmup))],
        milestones=[warmup],
    )
    losses = []
    for epoch in range(args.epochs):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        lr = scheduler.get_last_lr()[0]
        held_out = accuracy(model, val_loader)
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, lr {lr:.2e}, held-out {held_out:.3f}")
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
