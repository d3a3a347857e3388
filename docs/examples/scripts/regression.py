"""Polynomial regression three ways: by hand with autograd, with a custom Function, and with L-BFGS.

python docs/examples/scripts/regression.py
"""

import argparse
import math

import torch


class LegendrePolynomial3(torch.autograd.Function):
    """P3(x) = (5x^3 - 3x) / 2, with its gradient by hand."""

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class Polynomial3(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(()))
        self.b = torch.nn.Parameter(torch.randn(()))
        self.c = torch.nn.Parameter(torch.randn(()))
        self.d = torch.nn.Parameter(torch.randn(()))

    def forward(self, x):
        return self.a + self.b * x + self.c * x**2 + self.d * x**3

    def string(self):
        a, b, c, d = (p.item() for p in self.parameters())
        return f"y = {a:.4f} + {b:.4f} x + {c:.4f} x^2 + {d:.4f} x^3"


def by_hand(x, y, steps, lr):
    dtype, device = torch.get_default_dtype(), torch.device("cpu")
    a = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    b = torch.full((), -1.0, device=device, dtype=dtype, requires_grad=True)
    c = torch.full((), 0.0, device=device, dtype=dtype, requires_grad=True)
    d = torch.full((), 0.3, device=device, dtype=dtype, requires_grad=True)
    losses = []
    for _ in range(steps):
        y_pred = a + b * LegendrePolynomial3.apply(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for p in (a, b, c, d):
                p -= lr * p.grad
                p.grad = None
    return losses


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--points", type=int, default=500)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(0)

    x = torch.linspace(-math.pi, math.pi, args.points)
    y = torch.sin(x)
    losses = by_hand(x, y, args.steps, lr=2e-6)

    model = Polynomial3()
    if args.init:
        model.load_state_dict(torch.load(args.init))
    criterion = torch.nn.SmoothL1Loss(reduction="sum")
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, max_iter=4, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        return loss

    for _ in range(max(1, args.steps // 10) if args.steps else 0):
        losses.append(optimizer.step(closure).item())
    print(f"result: {model.string()}")

    # the slope of the fit, and its curvature at 0, by differentiating twice
    at = torch.zeros((), requires_grad=True)
    (slope,) = torch.autograd.grad(model(at), at, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, at)
    print(f"at 0: slope {slope.item():.4f}, curvature {curvature.item():.4f}")
    losses += [slope.item(), curvature.item()]
    if args.save:
        torch.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
