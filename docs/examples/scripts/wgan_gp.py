"""A Wasserstein GAN with a gradient penalty (Gulrajani et al., arXiv 1704.00028) on points of two moons.

python docs/examples/scripts/wgan_gp.py --steps 300
"""

import argparse
import copy

import numpy as np
import torch
from torch import Tensor, autograd, nn
from torch.autograd import Variable


def moons(count, seed):
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(count)
    upper = rng.random(count) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], 1) + 0.05 * rng.normal(size=(count, 2))


def mlp(sizes, activation):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), activation()]
    return nn.Sequential(*layers[:-1])


def calc_gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, weight: float) -> Tensor:
    alpha = torch.rand(real.size(0), 1).expand_as(real)
    interpolates = alpha * real + ((1 - alpha) * fake)
    interpolates = Variable(interpolates, requires_grad=True)
    scores = critic(interpolates)
    gradients = autograd.grad(
        outputs=scores,
        inputs=interpolates,
        grad_outputs=torch.ones(scores.size()),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean() * weight


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--critic-steps", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--latent", type=int, default=4)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(5)

    data = torch.tensor(moons(2000, 0), dtype=torch.get_default_dtype())
    generator = mlp([args.latent, 32, 32, 2], nn.Softplus)
    critic = mlp([2, 32, 32, 1], nn.SiLU)
    if args.init:
        saved = torch.load(args.init)
        generator.load_state_dict(saved["generator"])
        critic.load_state_dict(saved["critic"])
    average = copy.deepcopy(generator).requires_grad_(False)
    optimizer_g = torch.optim.RAdam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    optimizer_c = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.9))

    losses = []
    for step in range(args.steps):
        for p in critic.parameters():
            p.requires_grad = True
        for _ in range(args.critic_steps):
            real = data[torch.randint(0, len(data), (args.batch_size,))]
            with torch.no_grad():
                fake = generator(torch.randn(args.batch_size, args.latent))
            critic.zero_grad()
            distance = critic(real).mean() - critic(fake).mean()
            penalty = calc_gradient_penalty(critic, real, fake, 10.0)
            (penalty - distance).backward()
            optimizer_c.step()
            losses += [distance.item(), penalty.item()]
        for p in critic.parameters():
            p.requires_grad = False
        generator.zero_grad()
        loss = -critic(generator(torch.randn(args.batch_size, args.latent))).mean()
        loss.backward()
        optimizer_g.step()
        losses.append(loss.item())
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), generator.parameters()):
                slow.mul_(0.99).add_(fast, alpha=0.01)
        if step % 25 == 0:
            print(f"step {step}: distance {distance.item():.4f}, penalty {penalty.item():.4f}")

    with torch.no_grad():
        made = average(torch.randn(1000, args.latent))
    print(f"centre of what is made {made.mean(0).tolist()}, of the data {data.mean(0).tolist()}")
    if args.save:
        torch.save({"generator": generator.state_dict(), "critic": critic.state_dict()}, args.save)
    return losses


if __name__ == "__main__":
    main()
