"""The floors of the benchmarks count the parameters and the products that torch counts."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import floors
import workloads

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("kind", workloads.TINY)
def test_products_and_parameters_are_those_of_the_model(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    class Counting(torch.optim.AdamW):
        def __init__(self, parameters: Iterable[Any], **options: Any) -> None:
            listed = list(parameters)
            counted.append(sum(p.numel() for p in listed))
            super().__init__(listed, **options)

    monkeypatch.setattr(torch.optim, "AdamW", Counting)
    sizes = workloads.TINY[kind]
    step = workloads.make("torch", workloads.Workload(kind, kind, sizes), {})
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        step()
    cost = floors.KINDS[kind](**sizes)
    assert cost.parameters == counted[0]
    # torch counts the whole of causal attention, of which (T + 1) / 2T is needed
    whole = 2 * sizes["length"] / (sizes["length"] + 1) if kind == "gpt" else 1.0
    flops = sum(
        2 * many * m * k * n * times * (whole if many > 1 else 1.0)
        for (_, many, m, k, n), times in cost.products.items()
    )
    assert flops == pytest.approx(counter.get_total_flops())
