"""Proximal policy optimization (Schulman and others, arXiv 1707.06347): a cart keeps its pole upright.

python docs/examples/scripts/ppo.py --updates 20
"""

import argparse
from collections import deque

import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Poles:
    """Several carts with poles at once, after Barto, Sutton, Anderson (1983); those that fall start again."""

    def __init__(self, count, seed, limit=100):
        self.rng, self.count, self.limit = np.random.default_rng(seed), count, limit
        self.state, self.age = self.fresh(count), np.zeros(count, int)

    def fresh(self, count):
        return self.rng.uniform(-0.05, 0.05, (count, 4))

    def step(self, actions):
        x, speed, angle, turn = self.state.T
        force = np.where(actions == 1, 10.0, -10.0)
        push = (force + 0.05 * turn**2 * np.sin(angle)) / 1.1
        bend = 9.8 * np.sin(angle) - np.cos(angle) * push
        bend = bend / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
        pull = push - 0.05 * bend * np.cos(angle) / 1.1
        self.state = self.state + 0.02 * np.stack([speed, pull, turn, bend], 1)
        self.age = self.age + 1
        fell = (np.abs(self.state[:, 2]) > 0.21) | (np.abs(self.state[:, 0]) > 2.4)
        done = fell | (self.age >= self.limit)
        lengths = self.age[done].tolist()
        self.state[done] = self.fresh(int(done.sum()))
        self.age[done] = 0
        return self.state, 1.0 - fell, done, lengths


def layer_init(layer, std=2**0.5, bias=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias)
    return layer


class Agent(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(4, width)), nn.Tanh(), layer_init(nn.Linear(width, 1), std=1.0)
        )
        self.actor = nn.Sequential(
            layer_init(nn.Linear(4, width)), nn.Tanh(), layer_init(nn.Linear(width, 2), std=0.01)
        )

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None):
        chances = Categorical(logits=self.actor(x))
        if action is None:
            action = torch.multinomial(chances.probs, 1).squeeze(-1)
        return action, chances.log_prob(action), chances.entropy(), self.critic(x)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--num-envs", type=int, default=4)
    parser.add_argument("--num-steps", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--init", help="weights to start from")
    parser.add_argument("--save", help="where the weights go")
    args = parser.parse_args(argv)
    torch.manual_seed(1)
    torch.backends.cudnn.deterministic = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.get_default_dtype()

    envs, rng = Poles(args.num_envs, seed=1), np.random.default_rng(2)
    agent = Agent().to(device)
    if args.init:
        agent.load_state_dict(torch.load(args.init, map_location=device))
    optimizer = torch.optim.Adam(agent.parameters(), lr=2.5e-3, eps=1e-5)
    obs = torch.zeros((args.num_steps, args.num_envs, 4), device=device)
    actions, logprobs, rewards, dones, values = (
        torch.zeros((args.num_steps, args.num_envs), device=device) for _ in range(5)
    )
    next_obs = torch.tensor(envs.state, dtype=dtype, device=device)
    next_done = torch.zeros(args.num_envs, device=device)
    lengths, losses = deque(maxlen=20), []
    for update in range(args.updates):
        optimizer.param_groups[0]["lr"] = (1 - update / args.updates) * 2.5e-3
        for step in range(args.num_steps):
            obs[step], dones[step] = next_obs, next_done
            with torch.no_grad():
                action, logprob, _, value = agent.get_action_and_value(next_obs)
            actions[step], logprobs[step], values[step] = action, logprob, value.flatten()
            state, reward, done, ended = envs.step(action.cpu().numpy())
            rewards[step] = torch.tensor(reward).to(device).view(-1)
            next_obs = torch.Tensor(state).to(device, dtype)
            next_done = torch.from_numpy(done).to(dtype)
            lengths.extend(ended)

        with torch.no_grad():  # generalized advantages, from the last step to the first
            next_value = agent.get_value(next_obs).reshape(1, -1)
            advantages, last = torch.zeros_like(rewards), 0
            for t in reversed(range(args.num_steps)):
                end = t == args.num_steps - 1
                going_on = 1.0 - (next_done if end else dones[t + 1])
                after = next_value if end else values[t + 1]
                delta = rewards[t] + args.gamma * after * going_on - values[t]
                advantages[t] = last = delta + args.gamma * args.gae_lambda * going_on * last
            returns = advantages + values

        flat = [v.reshape((-1, *v.shape[2:])) for v in (obs, logprobs, actions, advantages, returns, values)]
        indices, clipped = np.arange(args.num_steps * args.num_envs), []
        for _ in range(args.epochs):
            rng.shuffle(indices)
            for part in np.split(indices, args.minibatches):
                b_obs, b_logprobs, b_actions, b_advantages, b_returns, b_values = (v[part] for v in flat)
                _, new, entropy, value = agent.get_action_and_value(b_obs, b_actions.long())
                ratio = (new - b_logprobs).exp()
                with torch.no_grad():
                    clipped += [((ratio - 1.0).abs() > args.clip).float().mean().item()]
                b_advantages = (b_advantages - b_advantages.mean()) / (b_advantages.std() + 1e-8)
                policy = torch.max(
                    -b_advantages * ratio, -b_advantages * torch.clamp(ratio, 1 - args.clip, 1 + args.clip)
                ).mean()
                value = value.view(-1)
                near = b_values + torch.clamp(value - b_values, -args.clip, args.clip)
                value_loss = 0.5 * torch.max((value - b_returns) ** 2, (near - b_returns) ** 2).mean()
                loss = policy - 0.01 * entropy.mean() + 0.5 * value_loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()
                losses.append(loss.item())
        length = np.mean(lengths) if lengths else float("nan")
        print(f"update {update}: loss {loss.item():.4f}, clipped {np.mean(clipped):.3f}, length {length:.1f}")
    if args.save:
        torch.save(agent.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
