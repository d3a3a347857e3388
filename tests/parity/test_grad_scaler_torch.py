"""``GradScaler`` step by step beside PyTorch's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import genesis

pytestmark = pytest.mark.parity
LIBRARIES = (torch, genesis)
BAD = {"inf": float("inf"), "nan": float("nan")}


def parts(library: Any, count: int = 1) -> tuple[list[Any], list[Any]]:
    parameters = [library.tensor([1.0, -2.0, 0.5], requires_grad=True) for _ in range(count)]
    return parameters, [library.optim.SGD([p], lr=0.1, momentum=0.9) for p in parameters]


def history(library: Any, events: str, options: dict[str, Any]) -> list[Any]:
    """Run iterations: g with good gradients, i with infinite ones, n with nan; s sets the scale."""
    scaler = library.amp.GradScaler("cpu", **options)
    (p,), (optimizer,) = parts(library)
    seen: list[Any] = []
    for k, event in enumerate(events):
        if event == "s":
            scaler.update(float(3 + k))
        else:
            optimizer.zero_grad()
            factor = {"i": BAD["inf"], "n": BAD["nan"]}.get(event, 1.0)
            loss = scaler.scale((p * p * factor).sum())
            loss.backward()
            if event == "u":
                scaler.unscale_(optimizer)
                library.nn.utils.clip_grad_norm_([p], 1.0)
            seen.append(scaler.step(optimizer))
            scaler.update()
        seen += [scaler.get_scale(), scaler._get_growth_tracker(), *p.tolist()]
        if "scale" in scaler.state_dict():
            seen.append(sorted(scaler.state_dict().items()))
    return seen


@pytest.mark.parametrize("events", ["ggggg", "ggigg", "ingg", "uguig", "gsgig", "iiiii", "ggsggg"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"init_scale": 8.0, "growth_interval": 2},
        {"init_scale": 3.3, "growth_factor": 1.7, "backoff_factor": 0.3, "growth_interval": 1},
        {"init_scale": 2.0**126, "growth_interval": 1},
        {"enabled": False},
    ],
)
def test_the_same_history(events: str, options: dict[str, Any]) -> None:
    theirs, ours = history(torch, events, options), history(genesis, events, options)
    assert len(theirs) == len(ours)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, float):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        else:
            assert a == b


def misuse(library: Any, calls: tuple[str, ...]) -> str:
    """What kind of error a sequence of calls ends in."""
    scaler = library.amp.GradScaler("cpu")
    (p,), (optimizer,) = parts(library)
    try:
        for call in calls:
            if call == "scale":
                scaler.scale((p * p).sum()).backward()
            elif call == "update":
                scaler.update()
            elif call == "update tensor":
                scaler.update(library.tensor(4.0))
            elif call == "update tensors":
                scaler.update(library.tensor([4.0, 5.0]))
            elif call == "closure":
                scaler.step(optimizer, closure=lambda: 1.0)
            elif call == "no gradients":
                scaler.scale(library.ones(1))
            elif call == "load":
                scaler.load_state_dict({})
            elif call == "text":
                scaler.scale(3)
            else:
                getattr(scaler, call)(optimizer)
    except (RuntimeError, AssertionError, ValueError) as error:
        kind = next(k for k in (AssertionError, ValueError, RuntimeError) if isinstance(error, k))
        return kind.__name__
    return ""


CALLS = ("scale", "unscale_", "step", "update", "no gradients")


@pytest.mark.parametrize(
    "calls",
    [
        *itertools.product(CALLS, repeat=2),
        *itertools.product(CALLS, repeat=3),
        *(("scale", *rest) for rest in itertools.product(CALLS, repeat=3)),
        ("scale", "closure"), ("load",), ("text",), ("scale", "update tensor"), ("scale", "update tensors"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_same_errors(calls: tuple[str, ...]) -> None:
    assert misuse(genesis, calls) == misuse(torch, calls)


def several(library: Any) -> list[Any]:
    """Two optimizers, of which one has bad gradients: only its step is left out."""
    scaler = library.amp.GradScaler("cpu", init_scale=4.0)
    parameters, optimizers = parts(library, 2)
    for factor in (1.0, BAD["inf"], 1.0):
        losses = [(parameters[0] ** 2).sum(), (parameters[1] ** 2 * factor).sum()]
        for loss, optimizer in zip(scaler.scale(losses), optimizers, strict=True):
            optimizer.zero_grad()
            loss.backward()
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update()
    return [scaler.get_scale(), *parameters[0].tolist(), *parameters[1].tolist()]


def test_several_optimizers() -> None:
    np.testing.assert_allclose(several(genesis), several(torch), rtol=1e-6)


def test_gradients_of_float16_are_refused() -> None:
    for library in LIBRARIES:
        p = library.ones(2, dtype=library.float16, requires_grad=True)
        scaler = library.amp.GradScaler("cpu", init_scale=2.0)
        scaler.scale(p.sum()).backward()
        with pytest.raises(ValueError, match="Attempting to unscale FP16 gradients"):
            scaler.unscale_(library.optim.SGD([p], lr=0.1))


def scaled_step(library: Any) -> list[Any]:
    """An optimizer that looks after the scale itself, as the fused ones of PyTorch do."""

    class Own(library.optim.SGD):
        _step_supports_amp_scaling = True

        def step(self, closure: Any = None) -> Any:
            seen.append((float(self.grad_scale or 0.0), float(self.found_inf)))

    seen: list[Any] = []
    scaler = library.amp.GradScaler("cpu", init_scale=4.0)
    p = library.ones(2, requires_grad=True)
    optimizer = Own([p], lr=0.1)
    for factor in (1.0, BAD["inf"]):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        seen.append((hasattr(optimizer, "grad_scale"), scaler.get_scale()))
    return seen


def test_optimizers_that_know_of_the_scale() -> None:
    assert scaled_step(genesis) == scaled_step(torch)


def test_states_go_over() -> None:
    theirs = torch.amp.GradScaler("cpu", init_scale=32.0, growth_interval=7)
    theirs.load_state_dict({**theirs.state_dict(), "_growth_tracker": 3})
    ours = genesis.amp.GradScaler("cpu")
    ours.load_state_dict(theirs.state_dict())
    assert ours.state_dict() == theirs.state_dict()
    theirs.load_state_dict(dict(ours.state_dict()))
    assert theirs.state_dict() == ours.state_dict()
