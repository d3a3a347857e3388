"""Calls that are written for PyTorch mean the same: names, order and defaults of all parameters."""

from __future__ import annotations

import inspect

import pytest

pytestmark = pytest.mark.parity

CLASSES = [
    "LRScheduler",
    "LambdaLR",
    "MultiplicativeLR",
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "ChainedScheduler",
    "SWALR",
]


def parameters(function):
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", CLASSES)
def test_constructors(torchs, ours, name):
    expected, actual = parameters(getattr(torchs, name)), parameters(getattr(ours, name))
    assert actual[: len(expected)] == expected
    verbose = ("verbose", inspect.Parameter.POSITIONAL_OR_KEYWORD, False)
    assert actual[len(expected) :] in ([], [verbose])


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("method", ["step", "get_last_lr", "get_lr", "state_dict", "load_state_dict"])
def test_methods(torchs, ours, name, method):
    expected, actual = (parameters(getattr(getattr(kit, name), method)) for kit in (torchs, ours))
    if (name, method) in (("SequentialLR", "step"), ("ChainedScheduler", "step")):
        expected += [("metrics", inspect.Parameter.POSITIONAL_OR_KEYWORD, None)]  # for ReduceLROnPlateau
    assert actual == expected


def test_all_names_of_torch_are_there(torchs, ours):
    assert set(torchs.module.__all__) <= set(dir(ours.module))
    assert "SWALR" in dir(ours.module)
