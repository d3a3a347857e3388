"""float16 and bfloat16 beside PyTorch's, over the samples of tests/parity/table."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import genesis

sys.path.insert(0, str(Path(__file__).parent))
from table import ENTRIES, Case
from table._entry import EVERY, leaves
from test_table import Side, flat, found, laid_out, name_of

pytestmark = pytest.mark.parity
torch.set_num_threads(1)

HALVES = ("float16", "bfloat16")
#: the distance between neighbours, relative to a number
STEP = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
#: networks of many operations, each of which rounds
DEEP = ("Transformer", "RNN", "GRU", "LSTM", "Linear", "MultiheadAttention")
#: what only shows that random numbers are finite, undefined calls, means of numbers that overflow, sums of
#: scores that cancel, and a loss of float32 that PyTorch gives in the type of its float16 targets
NOT_THESE = (
    "distributions.TransformedDistribution", "searchsorted-15", "var_mean-18", "std_mean-18",
    "distributions.RelaxedOneHotCategorical", "distributions.ContinuousBernoulli",
)  # fmt: skip


class HalfSide(Side):
    """A side whose floating-point tensors are halves, or the same numbers in float64."""

    exact = False

    def tensor(self, a: np.ndarray) -> Any:
        if a.dtype.kind != "f":
            return super().tensor(a)
        kind = getattr(torch, self.case.dtype)
        stored, view = laid_out(torch.tensor(a, dtype=torch.float64).to(kind).double().numpy(), "plain")
        leaf = self.library.tensor(stored)
        if not self.exact:
            leaf = leaf.to(getattr(self.library, self.case.dtype))
        if self.case.entry.grad:
            leaf.requires_grad_()
            self.inputs.append(leaf)
            if self.case.entry.name.endswith("_"):
                leaf = leaf.clone()
        return view(leaf)

    def run(self, sample: Any, state: Any = None) -> Any:
        if not self.exact or not leaves_layer(self.case):
            if state is not None:
                state = {k: v.double() if v.is_floating_point() else v for k, v in state.items()}
            return super().run(sample, state)
        init = sample.args[0]
        layer = found(torch, self.case.entry.name)(*self.value(init.args), **self.value(init.kwargs))
        layer = layer.to(getattr(torch, self.case.dtype)).double()
        layer.train(not init.eval)
        self.layer = layer
        args, kwargs = self.value(sample.args[1:]), self.value(sample.kwargs)
        call = self.case.entry.call
        result = call(torch, layer, *args, **kwargs) if call else layer(*args, **kwargs)
        self.inputs += [p for p in layer.parameters() if p.requires_grad]
        return result


def leaves_layer(case: Case) -> bool:
    return bool(case.sample.args) and type(case.sample.args[0]).__name__ == "Init"


def half_cases() -> list[Any]:
    """Samples with floats, the types in turn: the first two of an entry, or all of them in both types."""
    out = []
    for entry in ENTRIES:
        if "float32" not in entry.dtypes or not entry.values:
            continue
        floating = [
            s
            for s in entry.samples
            if any(
                isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size
                for a in leaves((s.args, s.kwargs))
            )
        ]
        for i, sample in enumerate(floating if EVERY else floating[:2]):
            for name in HALVES if EVERY else (HALVES[(len(out) + i) % 2],):
                title = f"{entry.name}-{sample.label or i}-{name}"
                if not title.startswith(NOT_THESE):
                    out.append(Case(entry, sample, name, "plain", title))
    return out


def plain(t: Any) -> np.ndarray:
    return t.detach().double().numpy() if t.dtype.is_floating_point else t.detach().numpy()


def rounded(ours: Any, exact: Any) -> bool:
    """Whether ours is the exact result, rounded: then it is right, whatever PyTorch makes of halves."""
    if tuple(ours.shape) != tuple(exact.shape):
        return False
    a, e = plain(ours), plain(exact)
    step = STEP.get(name_of(ours.dtype), 0.0)
    if ours.dtype is genesis.float16:
        with np.errstate(over="ignore"):
            e = np.where(
                abs(e) > 65504, e.astype("float16"), e
            )  # too large for the type: rounded to infinity
    return bool(np.allclose(a, e, rtol=0.51 * step, atol=2.0**-24 if step else 0.0, equal_nan=True))


def compare(ours: Any, theirs: Any, exact: Any, slack: float, what: str) -> None:
    """One rounding of the type, and not further off than what PyTorch itself is from the exact result.

    Both compute in float32 and round, so where that is one operation they are neighbours at most. Where
    PyTorch makes a result of several operations, or we do, each of them rounds.
    """
    if not isinstance(theirs, torch.Tensor):
        if isinstance(theirs, float):
            np.testing.assert_allclose(ours, theirs, rtol=2.0**-7, err_msg=what)
        elif not isinstance(theirs, torch.dtype):
            assert ours == theirs, what
        return
    assert isinstance(ours, genesis.Tensor), f"{what}: got {type(ours).__name__}"
    assert name_of(ours.dtype) == name_of(theirs.dtype), what
    assert tuple(ours.shape) == tuple(theirs.shape), what
    if isinstance(exact, torch.Tensor) and rounded(ours, exact):
        return
    if not theirs.is_floating_point():
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.numpy(), err_msg=what)
        return
    step = STEP.get(name_of(theirs.dtype), 2.0**-10)
    a, b = plain(ours), plain(theirs)
    off = 0.0
    usable = np.isfinite(b)
    if isinstance(exact, torch.Tensor) and tuple(exact.shape) == b.shape and b.size:
        e = plain(exact)
        with np.errstate(all="ignore"):
            d = np.abs(b - e)
        off = float(d[np.isfinite(d) & (np.abs(e) < 1e30)].max(initial=0.0))
        # PyTorch overflows on the way to a result that is finite: there is nothing to compare with
        lost = ~np.isfinite(b) & np.isfinite(e) & (np.abs(e) < 6e4)
        a, b, usable = np.where(lost, 0, a), np.where(lost, 0, b), usable | lost
    off += slack * step * float(np.abs(b[usable]).max(initial=0.0))  # sums of terms that were rounded
    least = 2.0**-24  # the least of float16; what sums of such numbers are wrong by in float32
    if slack > 1 and "gradient" in what:
        # dozens of roundings: how far PyTorch is off in one tensor is one draw of a random size
        off *= 3
        # a ReLU whose input rounds to the other side of zero has another gradient: one unit is one row
        far = ~np.isclose(a, b, rtol=1.01 * step, atol=2 * off + least, equal_nan=True)
        if (
            far.ndim
            and far.size
            and np.isfinite(a[far]).all()
            and far.reshape(len(far), -1).any(-1).sum() <= 1
        ):
            return
    np.testing.assert_allclose(a, b, rtol=1.01 * step, atol=2 * off + least, err_msg=what)


def check(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _check(case)


def _check(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = HalfSide(torch, case)
        torch.manual_seed(0)
        try:
            expected = theirs.run(case.sample)
        except Exception:
            return  # PyTorch has no halves there
        state = None
        if hasattr(theirs, "layer"):
            torch.manual_seed(0)
            fresh, init = HalfSide(torch, case), case.sample.args[0]
            made = found(torch, case.entry.name)(*fresh.value(init.args), **fresh.value(init.kwargs))
            state = made.to(getattr(torch, case.dtype)).state_dict()
        exact = HalfSide(torch, case)
        exact.exact = True
        torch.manual_seed(0)
        try:
            third = flat(exact.run(case.sample))
        except (RuntimeError, NotImplementedError, TypeError, ValueError):
            third = []
        genesis.manual_seed(0)
        ours = HalfSide(genesis, case)
        results, expected = flat(ours.run(case.sample, state)), flat(expected)
    assert len(results) == len(expected)
    slack = 2.0 if case.entry.name.removeprefix("nn.").startswith(DEEP) else 0.25
    third = third if len(third) == len(expected) else [None] * len(expected)
    for i, (a, b, e) in enumerate(zip(results, expected, third, strict=True)):
        compare(a, b, e, slack, f"result {i}")
    pairs = [
        (a, b, e)
        for a, b, e in zip(results, expected, third, strict=True)
        if isinstance(b, torch.Tensor) and b.requires_grad
    ]
    if not pairs or not case.entry.grad:
        return
    seeds = [torch.linspace(-1, 2, b.numel()).reshape(b.shape).to(b.dtype) for _, b, _ in pairs]
    try:
        torch.autograd.backward([b for _, b, _ in pairs], seeds)
    except (RuntimeError, NotImplementedError):
        return
    if all(isinstance(e, torch.Tensor) and e.requires_grad for _, _, e in pairs):
        torch.autograd.backward([e for _, _, e in pairs], [s.double() for s in seeds])
    genesis.autograd.backward(
        [a for a, _, _ in pairs],
        [genesis.tensor(s.double().numpy()).to(getattr(genesis, name_of(s.dtype))) for s in seeds],
    )
    assert len(ours.inputs) == len(theirs.inputs)
    for i, (x, y) in enumerate(zip(ours.inputs, theirs.inputs, strict=True)):
        if y.grad is None:
            assert x.grad is None or not x.grad.any()
            continue
        assert x.grad is not None, f"no gradient of input {i}"
        z = exact.inputs[i].grad if len(exact.inputs) == len(theirs.inputs) else None
        compare(x.grad, y.grad, z, slack, f"gradient of input {i}")


@pytest.mark.parametrize("case", half_cases(), ids=lambda c: c.id)
def test_agrees(case: Case) -> None:
    check(case)


def stepped(
    library: Any, name: str, dtype: str, options: dict[str, Any]
) -> tuple[np.ndarray, dict[str, str]]:
    """A half parameter after some steps, and the types of what the optimizer keeps."""
    rng = np.random.default_rng(0)
    start = rng.standard_normal((4, 5)).astype("float32")
    w = library.tensor(start).to(getattr(library, dtype)).requires_grad_()
    optimizer = getattr(library.optim, name)([w], **options)
    for _ in range(6):
        grad = library.tensor((rng.standard_normal((4, 5)) * 0.3).astype("float32"))
        w.grad = grad.to(getattr(library, dtype))
        optimizer.step()
    state = optimizer.state_dict()["state"].get(0, {})
    kinds = {k: name_of(v.dtype) for k, v in state.items() if hasattr(v, "dtype")}
    return w.detach().float().numpy(), kinds


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.1}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        ("Adam", {"lr": 0.01, "eps": 1e-4}),
        ("AdamW", {"lr": 0.01, "eps": 1e-4, "amsgrad": True}),
        ("RMSprop", {"lr": 0.01, "eps": 1e-4}),
        ("Adagrad", {"lr": 0.1}),
        ("Adadelta", {"lr": 1.0, "eps": 1e-4}),
        ("NAdam", {"lr": 0.01, "eps": 1e-4}),
        ("RAdam", {"lr": 0.01, "eps": 1e-4}),
        ("Adamax", {"lr": 0.01, "eps": 1e-4}),
        ("Rprop", {"lr": 0.01}),
        ("ASGD", {"lr": 0.01}),
        ("Muon", {"lr": 0.01}),
    ],
)
def test_optimizers(name: str, options: dict[str, Any], dtype: str) -> None:
    expected, kinds = stepped(torch, name, dtype, options)
    found, own = stepped(genesis, name, dtype, options)
    assert own == kinds
    # six steps of several operations each, all of which round as PyTorch's
    np.testing.assert_allclose(found, expected, rtol=3 * STEP[dtype], atol=0.15 * STEP[dtype])


@pytest.mark.parametrize("dtype", HALVES)
def test_memory_goes_over_by_dlpack(dtype: str) -> None:
    ours = genesis.tensor([[1.5, 2.0, 3.0], [4.0, 5.0, 6.0]]).to(getattr(genesis, dtype))
    theirs = torch.from_dlpack(ours.t())
    assert theirs.dtype is getattr(torch, dtype)
    theirs[2, 0] = 7.0
    assert ours[0, 2].item() == 7.0
    source = torch.arange(6).to(theirs.dtype).reshape(2, 3).t()
    back = genesis.from_dlpack(source)
    assert (back.dtype, back.stride()) == (ours.dtype, (1, 3))
    source[0, 0] = 9.0
    assert back.tolist() == source.tolist()


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("steps", [0.9, 40.0])
def test_assert_close_has_the_same_tolerance(dtype: str, steps: float) -> None:
    def passes(library: Any) -> bool:
        x = library.ones(3, dtype=getattr(library, dtype))
        try:
            library.testing.assert_close(x, x * (1 + steps * STEP[dtype]))
        except AssertionError:
            return False
        return True

    assert passes(genesis) is passes(torch) is (steps < 1)
