"""The steps of workloads.py for jax: one jitted function a step, AdamW and the schedule included."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

Step = Callable[[], Any]


def _linear(key: Any, inputs: int, outputs: int) -> dict[str, Any]:
    bound = 1 / math.sqrt(inputs)
    return {
        "w": jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound),
        "b": jnp.zeros(outputs),
    }


def _apply(p: dict[str, Any], x: Any) -> Any:
    return x @ p["w"] + p["b"]


def _cross_entropy(logits: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def mlp(batch: int = 64, width: int = 256) -> Step:
    k1, k2, k3, k4 = jax.random.split(jax.random.key(0), 4)
    parameters = [_linear(k1, 784, width), _linear(k2, width, 10)]
    x, y = jax.random.normal(k3, (batch, 784)), jax.random.randint(k4, (batch,), 0, 10)

    def loss(p: Any, x: Any, y: Any) -> Any:
        return _cross_entropy(_apply(p[1], jax.nn.relu(_apply(p[0], x))), y)

    return _step(parameters, loss, x, y)


def cnn(batch: int = 64, width: int = 32) -> Step:
    keys = jax.random.split(jax.random.key(0), 6)

    def filters(key: Any, inputs: int, outputs: int) -> dict[str, Any]:
        flat = _linear(key, 9 * inputs, outputs)
        return {"w": flat["w"].T.reshape(outputs, inputs, 3, 3), "b": flat["b"]}

    parameters = [
        filters(keys[0], 1, width),
        filters(keys[1], width, 2 * width),
        _linear(keys[2], 2 * width * 144, 128),
        _linear(keys[3], 128, 10),
    ]
    x, y = jax.random.normal(keys[4], (batch, 1, 28, 28)), jax.random.randint(keys[5], (batch,), 0, 10)

    def convolve(p: Any, x: Any) -> Any:
        out = jax.lax.conv_general_dilated(x, p["w"], (1, 1), "VALID")
        return jax.nn.relu(out + p["b"][:, None, None])

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = convolve(p[1], convolve(p[0], x))
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return _cross_entropy(_apply(p[3], jax.nn.relu(_apply(p[2], x.reshape(len(x), -1)))), y)

    return _step(parameters, loss, x, y)


def gpt(
    d: int = 128, layers: int = 4, heads: int = 4, length: int = 64, batch: int = 12, vocab: int = 65
) -> Step:
    keys = iter(jax.random.split(jax.random.key(0), 5 + 4 * layers))

    def norm() -> dict[str, Any]:
        return {"w": jnp.ones(d), "b": jnp.zeros(d)}

    def block() -> dict[str, Any]:
        sizes = {"qkv": (d, 3 * d), "out": (d, d), "up": (d, 4 * d), "down": (4 * d, d)}
        return {
            "norm1": norm(),
            "norm2": norm(),
            **{name: _linear(next(keys), *size) for name, size in sizes.items()},
        }

    parameters = {
        "token": jax.random.normal(next(keys), (vocab, d)),
        "position": jax.random.normal(next(keys), (length, d)),
        "blocks": [block() for _ in range(layers)],
        "norm": norm(),
        "head": _linear(next(keys), d, vocab),
    }
    x, y = (jax.random.randint(next(keys), (batch, length), 0, vocab) for _ in range(2))

    def normalize(p: Any, x: Any) -> Any:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) * jax.lax.rsqrt(var + 1e-5) * p["w"] + p["b"]

    def attend(p: Any, x: Any) -> Any:
        q, k, v = jnp.split(_apply(p["qkv"], x), 3, axis=-1)
        q, k, v = (z.reshape(batch, length, heads, d // heads) for z in (q, k, v))
        a = jax.nn.dot_product_attention(q, k, v, is_causal=True)
        return _apply(p["out"], a.reshape(batch, length, d))

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = p["token"][x] + p["position"]
        for b in p["blocks"]:
            h = h + attend(b, normalize(b["norm1"], h))
            up = jax.nn.gelu(_apply(b["up"], normalize(b["norm2"], h)), approximate=False)
            h = h + _apply(b["down"], up)
        return _cross_entropy(_apply(p["head"], normalize(p["norm"], h)).reshape(-1, vocab), y.reshape(-1))

    return _step(parameters, loss, x, y)


def adamw(tensors: int = 1, each: int = 10_000) -> Step:
    keys = jax.random.split(jax.random.key(0), 2 * tensors)
    parameters = [jax.random.normal(k, (each,)) for k in keys[:tensors]]
    gradients = [jax.random.normal(k, (each,)) for k in keys[tensors:]]
    update = partial(jax.jit, donate_argnums=(0, 1, 2))(_adamw)
    zeros = partial(jax.tree.map, jnp.zeros_like)
    state = [parameters, zeros(parameters), zeros(parameters), jnp.zeros(())]

    def step() -> Any:
        state[:] = update(*state, gradients)
        return jax.block_until_ready(state[0])[0]

    return step


def _adamw(p: Any, m: Any, v: Any, t: Any, g: Any) -> Any:
    """AdamW (Loshchilov and Hutter 2019, algorithm 2), its rate from the schedule of the workloads."""
    lr = 3e-4 * 0.5 * (1 + jnp.cos(t / 1e4))
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)

    def new(p: Any, m: Any, v: Any) -> Any:
        step = m / (1 - 0.9**t) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return p - lr * (step + 0.01 * p)

    return jax.tree.map(new, p, m, v), m, v, t


def _step(parameters: Any, loss_of: Callable[..., Any], x: Any, y: Any) -> Step:
    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def update(p: Any, m: Any, v: Any, t: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(p, x, y)
        return *_adamw(p, m, v, t, gradients), loss

    zeros = partial(jax.tree.map, jnp.zeros_like)
    state = [parameters, zeros(parameters), zeros(parameters), jnp.zeros(())]

    def step() -> Any:
        *state[:], loss = update(*state, x, y)
        return jax.block_until_ready(loss)

    return step


KINDS: dict[str, Callable[..., Step]] = {"mlp": mlp, "gpt": gpt, "cnn": cnn, "adamw": adamw}
