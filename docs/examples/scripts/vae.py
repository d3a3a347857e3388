"""A variational autoencoder (Kingma and Welling, arXiv 1312.6114) on 8x8 digits.

python docs/examples/scripts/vae.py --epochs 10
"""

import argparse

import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader


class VAE(nn.Module):
    def __init__(self, hidden=48, latent=4):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Linear(hidden, 64),
            nn.Sigmoid(),
        )
        self.apply(self._init)

    @staticmethod
    def _init(module):
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, gain=nn.init.calculate_gain("relu"))
            nn.init.constant_(module.bias, 0.0)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return self.decoder(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    # Appendix B of the paper: 0.5 * sum(1 + log(sigma^2) - mu^2 - sigma^2)
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/digits.csv.gz")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(args.seed)

    table = np.loadtxt(args.data, delimiter=",")
    images = torch.tensor(table[:, :-1] / 16.0, dtype=torch.get_default_dtype())
    train_loader = DataLoader(images[:1500], batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(images[1500:], batch_size=args.batch_size, shuffle=False)

    model = VAE()
    if args.init:
        model.load_state_dict(torch.load(args.init))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        train_loss = 0
        for data in train_loader:
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            losses.append(loss.item() / len(data))
            optimizer.step()
        print(f"====> epoch {epoch}: average loss {train_loss / len(train_loader.dataset):.4f}")
        model.eval()
        with torch.no_grad():
            test_loss = sum(
                loss_function(*(lambda r: (r[0], x, r[1], r[2]))(model(x))).item() for x in test_loader
            )
        print(f"====> test loss: {test_loss / len(test_loader.dataset):.4f}")

    with torch.inference_mode():
        sample = model.decoder(torch.randn(8, 4)).cpu().reshape(8, 8, 8)
        rows = torch.cat(list(sample[:4]), dim=1)
        print("\n".join("".join(" .:-=+*#%@"[int(v * 9.99)] for v in row) for row in rows.tolist()))
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
