"""Learning to learn (MAML, Finn, Abbeel, Levine, arXiv 1703.03400): sines from five points.

python docs/examples/scripts/maml.py --steps 100
"""

import argparse
from collections import OrderedDict

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call


class Net(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(
            OrderedDict(
                [
                    ("hidden1", nn.Linear(1, width)),
                    ("act1", nn.Tanh()),
                    ("hidden2", nn.Linear(width, width)),
                    ("act2", nn.Tanh()),
                    ("out", nn.Linear(width, 1)),
                ]
            )
        )

    def forward(self, x):
        return self.net(x)


class Sines:
    """Tasks: sines of different height and phase."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def sample(self, points=5):
        height, phase = self.rng.uniform(0.5, 3), self.rng.uniform(0, np.pi)
        x = self.rng.uniform(-3, 3, (2, points, 1))
        y = height * np.sin(x + phase)
        tensors = (torch.from_numpy(v).to(torch.get_default_dtype()) for v in (x, y))
        return zip(*tensors, strict=True)


def adapt(model, params, x, y, rates, steps, first_order=False):
    """Weights after some steps of gradient descent, differentiable by those before."""
    for _ in range(steps):
        loss = F.mse_loss(functional_call(model, params, (x,)), y)
        grads = torch.autograd.grad(loss, tuple(params.values()), create_graph=not first_order)
        params = OrderedDict(
            (name, p - rate.exp() * g)
            for (name, p), rate, g in zip(params.items(), rates, grads, strict=True)
        )
    return params


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=4, help="in a step")
    parser.add_argument("--inner-steps", type=int, default=2)
    parser.add_argument("--first-order", action="store_true", help="leave second derivatives out")
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    model = Net()
    rates = nn.ParameterList([nn.Parameter(torch.tensor(-3.0)) for _ in model.parameters()])  # learned, too
    if args.init:
        model.load_state_dict(torch.load(args.init))
    optimizer = torch.optim.Adam([{"params": model.parameters()}, {"params": rates, "lr": 1e-2}], lr=1e-3)
    tasks, losses = Sines(1), []
    for step in range(args.steps):
        optimizer.zero_grad()
        total = 0.0
        for _ in range(args.tasks):
            (x, y), (ask_x, ask_y) = tasks.sample()
            params = OrderedDict(model.named_parameters())
            params = adapt(model, params, x, y, rates, args.inner_steps, args.first_order)
            loss = F.mse_loss(functional_call(model, params, (ask_x,)), ask_y) / args.tasks
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_value_(model.parameters(), 10.0)
        optimizer.step()
        losses.append(total)
        if step % 10 == 0:
            learned = [round(r.exp().item(), 4) for r in rates]
            print(f"step {step}: loss after adapting {total:.4f}, rates {learned}")

    # how sharp the minimum is: the largest eigenvalue of the Hessian, by power iteration with double backward
    (x, y), _ = Sines(2).sample(20)
    weights = list(model.parameters())
    grads = torch.autograd.grad(F.mse_loss(model(x), y), weights, create_graph=True)
    vector = [torch.ones_like(w) for w in weights]
    for _ in range(5):
        length = torch.sqrt(sum((v * v).sum() for v in vector))
        vector = [v / length for v in vector]
        product = torch.autograd.grad(grads, weights, grad_outputs=vector, retain_graph=True)
        sharpness = sum((v * p).sum() for v, p in zip(vector, product, strict=True))
        vector = list(product)
    print(f"sharpness {sharpness:.4f}")
    losses.append(sharpness.item())
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
