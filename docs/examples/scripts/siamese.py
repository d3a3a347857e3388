"""A siamese network learns which digits are the same, by triplets.

python docs/examples/scripts/siamese.py --steps 200
"""

import argparse
import random
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Triplets(Dataset):
    """An anchor, one of the same class, one of another."""

    def __init__(self, images, labels, count, seed=0):
        self.images, self.labels, self.count = images, labels, count
        rng = random.Random(seed)
        by_class = {c: torch.nonzero(labels == c).flatten().tolist() for c in labels.unique().tolist()}
        self.rows = []
        for _ in range(count):
            same, other = rng.sample(sorted(by_class), 2)
            a, p = rng.sample(by_class[same], 2)
            self.rows.append((a, p, rng.choice(by_class[other])))

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return tuple(self.images[i] for i in self.rows[index])


def block(inputs, outputs, groups):
    return nn.Sequential(
        OrderedDict(
            [
                ("conv", nn.Conv2d(inputs, outputs, 3, padding="same")),
                ("norm", nn.GroupNorm(groups, outputs)),
                ("act", nn.PReLU(outputs)),
                ("pool", nn.AvgPool2d(2)),
            ]
        )
    )


class SiameseNetwork(nn.Module):
    def __init__(self, embedding=16):
        super().__init__()
        self.features = nn.Sequential(block(1, 8, 2), block(8, 16, 4))
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Hardswish(), nn.Linear(32, embedding))

    def forward_once(self, x):
        return nn.functional.normalize(self.fc(self.features(x)), p=2, dim=1)

    def forward(self, *inputs):
        # one pass for all of them
        output = self.forward_once(torch.cat(inputs))
        return torch.chunk(output, len(inputs))


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/digits.csv.gz")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--margin", type=float, default=0.5)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(3)

    table = np.loadtxt(args.data, delimiter=",")
    images = torch.tensor(table[:, :-1], dtype=torch.get_default_dtype()).reshape(-1, 1, 8, 8) / 16
    labels = torch.tensor(table[:, -1]).long()
    train = Triplets(images[:1400], labels[:1400], max(1, args.steps) * args.batch_size)
    loader = DataLoader(train, batch_size=args.batch_size)

    model = SiameseNetwork()
    if args.init:
        model.load_state_dict(torch.load(args.init))
    triplet = nn.TripletMarginLoss(margin=args.margin, swap=True)
    cosine = nn.CosineEmbeddingLoss(margin=0.2)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=max(args.steps, 2))
    losses = []
    for step, (anchor, positive, negative) in enumerate(loader):
        if step == args.steps:
            break
        a, p, n = model(anchor, positive, negative)
        y = torch.ones(len(a))
        loss = triplet(a, p, n) + 0.1 * (cosine(a, p, y) + cosine(a, n, -y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        if step % 25 == 0:
            print(f"step {step}: loss {loss.item():.4f}")

    model.eval()
    with torch.no_grad():
        known, asked = model.forward_once(images[:1400]), model.forward_once(images[1400:])
        distance = torch.cdist(asked, known)
        nearest = distance.topk(5, dim=1, largest=False).indices
        votes = labels[:1400][nearest].mode(dim=1).values
        right = (votes == labels[1400:]).double().mean().item()
    print(f"nearest neighbours name {right:.1%} of unseen digits")
    losses.append(distance.min(dim=1).values.mean().item())
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
