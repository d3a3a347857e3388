"""Forecasts of a noisy signal by a GRU over sequences of several lengths, and by dilated convolutions.

python docs/examples/scripts/time_series.py --steps 100
"""

import argparse

import numpy as np
import torch
import torch.nn as nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, IterableDataset


class Windows(IterableDataset):
    """Pieces of different lengths of a sum of sines."""

    def __init__(self, count, seed):
        super().__init__()
        self.count, self.seed = count, seed

    def __iter__(self):
        rng = np.random.default_rng(self.seed)
        dtype = torch.get_default_dtype()
        for _ in range(self.count):
            length = int(rng.integers(8, 25))
            t = rng.uniform(0, 50) + 0.3 * np.arange(length + 1)
            signal = np.sin(t) + 0.5 * np.sin(2.3 * t) + 0.05 * rng.normal(size=length + 1)
            yield torch.from_numpy(signal).to(dtype)


def collate(pieces):
    lengths = torch.tensor([len(p) - 1 for p in pieces])
    inputs = pad_sequence([p[:-1] for p in pieces], batch_first=True)
    targets = pad_sequence([p[1:] for p in pieces], batch_first=True)
    mask = torch.arange(inputs.size(1))[None, :] < lengths[:, None]
    return inputs.unsqueeze(-1), targets, lengths, mask


class Recurrent(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.gru = nn.GRU(1, hidden, num_layers=2, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, _ = self.gru(packed)
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.size(1))
        return self.head(output).squeeze(-1)


class Causal(nn.Module):
    def __init__(self, channels, levels):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(levels):
            conv = nn.Conv1d(1 if i == 0 else channels, channels, 2, dilation=2**i)
            self.layers.append(parametrizations.weight_norm(conv))
        self.head = nn.Conv1d(channels, 1, 1)

    def forward(self, x, lengths):
        x = x.transpose(1, 2)
        for i, layer in enumerate(self.layers):
            y = torch.relu(layer(nn.functional.pad(x, (2**i, 0))))
            x = y if x.shape != y.shape else x + y
        return self.head(x).squeeze(1)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    models = nn.ModuleDict({"gru": Recurrent(args.hidden), "tcn": Causal(8, 3)})
    if args.init:
        models.load_state_dict(torch.load(args.init))
    criterion = nn.HuberLoss(reduction="none", delta=0.5)
    losses = []
    for name, model in models.items():
        optimizer = torch.optim.NAdam(model.parameters(), lr=5e-3)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.98)
        loader = DataLoader(
            Windows(args.steps * args.batch_size, seed=1), args.batch_size, collate_fn=collate
        )
        for step, (x, y, lengths, mask) in enumerate(loader):
            loss = criterion(model(x, lengths), y).masked_select(mask).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            if step % 20 == 0:
                print(f"{name} step {step}: loss {loss.item():.4f}, lr {scheduler.get_last_lr()[0]:.5f}")
    if args.save:
        torch.save(models.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
