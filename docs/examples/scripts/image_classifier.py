"""A small convolutional network learns to tell ten kinds of clothes apart (Fashion-MNIST).

python docs/examples/scripts/image_classifier.py --epochs 3
"""

import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, dropout=0.25):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, 1)
        self.conv2 = nn.Conv2d(16, 32, 3, 1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(2 * dropout)
        self.fc1 = nn.Linear(32 * 12 * 12, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.norm(self.conv2(x)).relu()
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        return F.log_softmax(self.fc2(x), dim=1)


def load(path, count):
    with np.load(path) as data:
        parts = []
        for split, n in (("train", count), ("test", count // 4)):
            images = torch.from_numpy(data[f"{split}_images"][:n]).to(torch.get_default_dtype())
            labels = torch.from_numpy(data[f"{split}_labels"][:n].astype("int64"))
            images = images.div_(255).sub_(0.2860).div_(0.3530).unsqueeze(1)
            parts.append(TensorDataset(images, labels))
        return parts


def train(args, model, device, loader, optimizer, epoch):
    model.train()
    losses = []
    for batch, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if batch % args.log_interval == 0:
            done = batch * len(data)
            print(f"epoch {epoch} [{done}/{len(loader.dataset)}]\tloss: {loss.item():.6f}")
    return losses


def test(model, device, loader):
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    loss /= len(loader.dataset)
    print(f"test: average loss {loss:.4f}, accuracy {100.0 * correct / len(loader.dataset):.1f}%")
    return loss


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="genesis/data/files/fashion_mnist_subset.npz")
    parser.add_argument("--count", type=int, default=5000, help="images to train on")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--log-interval", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train_set, test_set = load(args.data, args.count)
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = Net(args.dropout).to(device)
    if args.init:
        model.load_state_dict(torch.load(args.init, map_location=device, weights_only=True))
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)

    losses = []
    for epoch in range(1, args.epochs + 1):
        losses += train(args, model, device, train_loader, optimizer, epoch)
        losses.append(test(model, device, test_loader))
        scheduler.step()
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
