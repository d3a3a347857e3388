"""Checks of kernels for whole operations: against the composed definition, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import genesis
import genesis.testing.backend_checks._samples_pooling
import genesis.testing.backend_checks._samples_sequences
from genesis.autograd.graph import new
from genesis.ops._op import ON_LISTS, OVERRIDABLE, Op
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, Array, Bench, undeclared
from genesis.testing.backend_checks._samples import SAMPLES, WRONG_INDEX, Sample
from genesis.testing.reference import RefBackend

Function = Callable[..., Any]
Outcome = tuple[Array, list[Array | None]]  # the result, and the gradient of each input

#: 250 eps of the largest element: sums over a few hundred terms, in any order
LIMIT = {"float32": 3e-5, "float64": 6e-14}
COMPOSED, OWN = "composed", "own"


class Kernels(NamedTuple):
    """The two functions of an operation; None where the composite does the work."""

    op: str
    forward: Function | None
    backward: Function | None

    def choose(self, forward: str, backward: str) -> dict[str, Function | None]:
        """What to put in the table of the device, for the words "own" or "composed"."""
        return {
            self.op: self.forward if forward == OWN else None,
            f"{self.op}.backward": self.backward if backward == OWN else None,
        }


@contextmanager
def using(bench: Bench, table: dict[str, Function | None]) -> Iterator[None]:
    """Let the device use these kernels, and no others, for the operations that are named."""
    before = bench.backend._table
    bench.backend._table = {**before, **table}
    try:
        yield
    finally:
        bench.backend._table = before


def questions(bench: Bench, kernels: Kernels, samples: Sequence[Sample] | None = None) -> Iterator[Question]:
    """Everything to ask of the kernels of one operation."""
    name = f"kernel/{kernels.op}"
    op = OVERRIDABLE.get(kernels.op)
    if op is None:
        yield name, partial(unknown_operation, kernels.op)
        return
    if samples is None and kernels.op not in SAMPLES:
        yield name, partial(no_samples, kernels.op)
        return
    tried = list(SAMPLES[kernels.op]() if samples is None else samples)
    ways = [
        (f, b)
        for f in ((COMPOSED, OWN) if kernels.forward else (COMPOSED,))
        for b in ((COMPOSED, OWN) if kernels.backward else (COMPOSED,))
    ]
    trial = Trial(bench, op, kernels, tried)
    yield f"{name}/is used", trial.is_used
    for dtype in FLOATS:
        for forward, backward in ways:
            yield (
                f"{name}/{dtype}/{forward} forward, {backward} backward",
                partial(trial.values_and_gradients, dtype, forward, backward),
            )
    yield f"{name}/layouts", trial.layouts
    yield f"{name}/inputs stay as they are", trial.inputs_stay
    yield f"{name}/some gradients only", trial.some_gradients
    yield f"{name}/second derivative", trial.second_derivative
    yield f"{name}/deterministic", trial.deterministic
    if kernels.op in WRONG_INDEX and kernels.forward:
        yield f"{name}/wrong index", trial.wrong_index


def unknown_operation(name: str) -> None:
    near = get_close_matches(name, [*OVERRIDABLE, *ON_LISTS], 1, 0.5)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    raise AssertionError(
        f"there is no operation {name!r}{hint} A kernel may be given for {', '.join(sorted(OVERRIDABLE))}, "
        f"for each of these with .backward, and for {', '.join(ON_LISTS)}. A step that step_op "
        "declares is checked with its optimizer: check_optimizer(..., device=...) runs it through the kernel"
    )


def no_samples(name: str) -> None:
    raise AssertionError(
        f"the kit has no arguments to try the operation {name!r} on. Give some: "
        f"check_backend(device, samples={{{name!r}: [Sample((array, ...), {{option: value}})]}}), or the "
        "same list as check_kernel(..., samples=[...]); Sample comes from genesis.testing"
    )


class Trial:
    """One operation with kernels under test on one device."""

    def __init__(self, bench: Bench, op: Op, kernels: Kernels, samples: list[Sample]) -> None:
        self.bench, self.op, self.kernels, self.samples = bench, op, kernels, samples

    # -- running ---------------------------------------------------------------------------------------
    def arrays(self, sample: Sample, dtype: str) -> list[Array | None]:
        return [x.astype(dtype) if x is not None and x.dtype.kind == "f" else x for x in sample.inputs]

    def leaves(self, bench: Bench, arrays: Sequence[Array | None], layout: str = "contiguous") -> list[Any]:
        """Tensors, of which those of floats want a gradient."""
        made: list[Any] = []
        for x in arrays:
            if x is None:
                made.append(None)
                continue
            tensor = new(bench.place(x, layout if x.ndim else "contiguous").view)
            made.append(tensor.requires_grad_() if x.dtype.kind == "f" else tensor)
        return made

    def run(
        self,
        bench: Bench,
        arrays: Sequence[Array | None],
        sample: Sample,
        upstream: Any,
        layout: str = "contiguous",
    ) -> Outcome:
        """The result, and the gradients for an upstream gradient (a function of the result's shape)."""
        tensors = self.leaves(bench, arrays, layout)
        out = _first(self.op(*tensors, **sample.options))
        out.backward(upstream(bench, out))
        grads = [None if t is None or t.grad is None else bench.read(t.grad._view) for t in tensors]
        return bench.read(out.detach()._view), grads

    def reference(self, arrays: Sequence[Array | None], sample: Sample, upstream: Any) -> Any:
        """The composed definition in float64 on the device ``ref``."""
        wide = [x.astype("float64") if x is not None and x.dtype.kind == "f" else x for x in arrays]
        return self.run(_reference(), wide, sample, upstream)

    def describe(self, sample: Sample, dtype: str, extra: str = "") -> str:
        shapes = ", ".join("None" if x is None else str(x.shape) for x in sample.inputs)
        options = "".join(f", {k}={v!r}" for k, v in sample.options.items())
        label = f" [{sample.label}]" if sample.label else ""
        return f"{self.op.name}({shapes}{options}) of {dtype}{label}{extra}"

    def compare(
        self, got: Outcome, want: Outcome, dtype: str, what: str,
        guesses: Callable[[], Any] | None = None, advice: Any = "",
    ) -> None:  # fmt: skip
        _compare(got[0], want[0], dtype, f"{what}: the result", advice=advice)
        names = self.op.inputs
        for i, (g, w) in enumerate(zip(got[1], want[1], strict=True)):
            if w is None:
                continue
            title = f"{what}: the gradient of {names[i]}"
            if g is None:
                raise AssertionError(
                    f"{title} is missing: .backward returns one gradient for each input, in order"
                )
            more = {}
            if guesses is not None:
                more = {
                    "the upstream gradient is ignored, as if it were all ones": guesses()[1][i].astype(dtype)
                }
            _compare(g, w, dtype, title, guesses=more, advice=advice)

    # -- checks ----------------------------------------------------------------------------------------
    def is_used(self) -> None:
        """The kernel takes at least one of the samples."""
        for name, function in (
            (self.op.name, self.kernels.forward),
            (f"{self.op.name}.backward", self.kernels.backward),
        ):
            if function is None:
                continue
            taken: list[bool] = []
            table = self.kernels.choose(OWN, OWN)
            table[name] = _watched(function, taken)
            for sample in self.samples[:6]:
                with using(self.bench, table):
                    self.run(self.bench, self.arrays(sample, "float32"), sample, _random)
            if not any(taken):
                raise AssertionError(
                    f"the kernel of {name!r} declined every sample ({len(taken)} calls returned "
                    "NotImplemented), so it is never used; the first was "
                    + self.describe(self.samples[0], "float32")
                )

    def values_and_gradients(self, dtype: str, forward: str, backward: str) -> None:
        for sample in self.samples:
            arrays = self.arrays(sample, dtype)
            what = self.describe(sample, dtype, f", {forward} forward and {backward} backward")
            with using(self.bench, self.kernels.choose(forward, backward)):
                got = self.run(self.bench, arrays, sample, _random)
            self.compare(
                got, self.reference(arrays, sample, _random), dtype, what,
                guesses=partial(self.reference, arrays, sample, _ones),
                advice=partial(self.blame, sample, dtype, forward, backward),
            )  # fmt: skip

    def blame(self, sample: Sample, dtype: str, forward: str, backward: str) -> str:
        """Which part of a wrong result it is."""
        if (forward, backward) == (COMPOSED, COMPOSED):
            return (
                "no kernel took part: the composed definition is wrong on this device, so look at the "
                "checks of the primitives first"
            )
        try:
            self.values_and_gradients(dtype, COMPOSED, COMPOSED)
        except Exception:
            return "the composite is wrong on this device too: look at the checks of the primitives first"
        text = "composed of primitives, the same is right on this device, so it is the kernel that is wrong"
        if (forward, backward) == (OWN, COMPOSED):
            saved = ", ".join(self.op.saves)
            text += f"; where the result is right, look at what it saves for the backward pass: {saved}"
        return text

    def layouts(self) -> None:
        for sample in self.samples[:4]:
            arrays = self.arrays(sample, "float32")
            want = self.reference(arrays, sample, _random)
            for layout in ("transposed", "step", "columns", "reversed"):
                with using(self.bench, self.kernels.choose(OWN, OWN)):
                    got = self.run(self.bench, arrays, sample, partial(_placed, layout), layout)
                self.compare(
                    got, want, "float32", self.describe(sample, "float32", f", all inputs of layout "
                    f"{layout!r}"),
                    advice="make the inputs contiguous first (map x0 into a new view), or decline what is "
                    "not",
                )  # fmt: skip
            with using(self.bench, self.kernels.choose(OWN, OWN)):
                got = self.run(self.bench, arrays, sample, _one_element)
            self.compare(
                got, self.reference(arrays, sample, _ones), "float32",
                self.describe(sample, "float32", ", with an upstream gradient whose strides are all 0"),
                advice="the gradient of a sum is one element that repeats: strides of 0",
            )  # fmt: skip

    def inputs_stay(self) -> None:
        """Whether a kernel runs or declines, it writes to nothing that it was given."""
        for dtype in FLOATS:
            for sample in self.samples:
                self._one_call(sample, dtype)

    def _one_call(self, sample: Sample, dtype: str) -> None:
        watched: list[tuple[Any, Array, str]] = []

        def snapshot(function: Function | None, name: str) -> Function | None:
            if function is None:
                return None

            def call(backend: Any, *args: Any, **options: Any) -> Any:
                views = [v for v in args if isinstance(v, genesis.backend.View)]
                before = [self.bench.read(v) for v in views]
                result = function(backend, *args, **options)
                state = "declined (returned NotImplemented)" if result is NotImplemented else "ran"
                for v, b in zip(views, before, strict=True):
                    watched.append((v, b, f"{name}, which {state}"))
                return result

            return call

        table = {name: snapshot(f, name) for name, f in self.kernels.choose(OWN, OWN).items()}
        with using(self.bench, table):
            self.run(self.bench, self.arrays(sample, dtype), sample, _random)
        for view, before, name in watched:
            agree(
                self.bench.read(view), before, f"an input of {name}, after {self.describe(sample, dtype)}",
                advice="a kernel writes to new memory only; one that declines must do so before it has "
                "written anything",
            )  # fmt: skip

    def some_gradients(self) -> None:
        """Where only one input wants a gradient, it gets the right one."""
        for sample in self.samples[:4]:
            arrays = self.arrays(sample, "float32")
            want = self.reference(arrays, sample, _random)
            for i, x in enumerate(arrays):
                if x is None or x.dtype.kind != "f" or want[1][i] is None:
                    continue
                tensors = self.leaves(self.bench, arrays)
                for j, t in enumerate(tensors):
                    if j != i and t is not None and t.requires_grad:
                        tensors[j] = t.detach()
                with using(self.bench, self.kernels.choose(OWN, OWN)):
                    out = _first(self.op(*tensors, **sample.options))
                    out.backward(_random(self.bench, out))
                what = self.describe(sample, "float32", f", where only {self.op.inputs[i]} wants a gradient")
                if tensors[i].grad is None:
                    raise AssertionError(f"{what}: there is none; needs[{i}] is True for it")
                _compare(self.bench.read(tensors[i].grad._view), want[1][i], "float32", what)

    def second_derivative(self) -> None:
        sample = self.samples[0]
        results = []
        arrays = self.arrays(sample, "float32")
        for bench, table in ((self.bench, self.kernels.choose(OWN, OWN)), (_reference(), {})):
            wide = bench is not self.bench
            tensors = self.leaves(
                bench,
                [
                    x.astype("float64") if wide and x is not None and x.dtype.kind == "f" else x
                    for x in arrays
                ],
            )
            with using(bench, table):
                out = _first(self.op(*tensors, **sample.options))
                wanted = [t for t in tensors if t is not None and t.requires_grad]
                first = genesis.autograd.grad(
                    out, wanted, _random(bench, out), create_graph=True, allow_unused=True
                )
                found = [g for g in first if g is not None and g.requires_grad]
                if not found:
                    return  # linear in everything
                sum((g * g).sum() for g in found).backward()
            results.append([None if t.grad is None else bench.read(t.grad._view) for t in wanted])
        for got, want in zip(*results, strict=True):
            if want is not None:
                assert got is not None, f"{self.op.name}: a second derivative is missing"
                # the derivative of a derivative loses digits twice
                _compare(
                    got, want, "float32", self.describe(sample, "float32", ": the second derivative"), 10
                )

    def deterministic(self) -> None:
        sample = max(self.samples, key=lambda s: sum(x.size for x in s.inputs if x is not None))
        arrays = self.arrays(sample, "float32")
        results = []
        for _ in range(3):
            with using(self.bench, self.kernels.choose(OWN, OWN)):
                results.append(self.run(self.bench, arrays, sample, _random))
        for again in results[1:]:
            for first, second in zip((results[0][0], *results[0][1]), (again[0], *again[1]), strict=True):
                if first is not None and second is not None:
                    agree(
                        second, first, self.describe(sample, "float32", ", computed again"),
                        why="the same bits in every run",
                        advice="add in an order that does not depend on which thread is first: no atomic "
                        "adds",
                    )  # fmt: skip

    def wrong_index(self) -> None:
        inputs, options, words = WRONG_INDEX[self.op.name]
        sample = Sample(inputs, options, "an index out of range")
        arrays = self.arrays(sample, "float32")
        with using(self.bench, self.kernels.choose(OWN, OWN)):
            try:
                self.op(*self.leaves(self.bench, arrays), **options)
            except IndexError as error:
                if not all(word in str(error) for word in words):
                    raise AssertionError(
                        f"{self.describe(sample, 'float32')}: the IndexError says {str(error)!r}; it should "
                        f"name the index {words[0]} and the {words[1]} that there are"
                    ) from error
                return
        raise AssertionError(
            f"{self.describe(sample, 'float32')} raised no IndexError; the kernel must look at all"
        )


def _compare(got: Array, want: Array, dtype: str, what: str, factor: float = 1.0, **more: Any) -> None:
    limit = LIMIT[dtype] * factor
    scale = float(np.abs(want[np.isfinite(want)]).max(initial=0.0))
    why = f"{limit:.2g} of the largest element, 250 roundings; it is compared with the composite in float64"
    agree(got, want.astype(dtype), what, allowed=limit * max(scale, 1.0), why=why, **more)


def _first(result: Any) -> Any:
    """The differentiable one of an operation's results."""
    return result if isinstance(result, genesis.Tensor) else result[0]


def _reference() -> Bench:
    if not _ref:
        bench: Bench = object.__new__(Bench)
        bench.device, bench.index = undeclared(RefBackend), 0
        bench.backend = bench.device.backend
        _ref.append(bench)
    return _ref[0]


_ref: list[Bench] = []


def _watched(function: Function, taken: list[bool]) -> Function:
    def call(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        taken.append(result is not NotImplemented)
        return result

    return call


# -- upstream gradients --------------------------------------------------------------------------------------
def _upstream(out: Any) -> Array:
    host: Array = np.asarray(np.random.default_rng(99).standard_normal(tuple(out.shape)))
    # as float32 has them, so that both devices get the same numbers
    return host.astype("float32").astype(out.dtype.name)


def _random(bench: Bench, out: Any) -> Any:
    return new(bench.put(_upstream(out)))


def _placed(layout: str, bench: Bench, out: Any) -> Any:
    host = _upstream(out)
    return new(bench.place(host, layout if host.ndim else "contiguous").view)


def _ones(bench: Bench, out: Any) -> Any:
    return new(bench.put(np.ones(tuple(out.shape), out.dtype.name)))


def _one_element(bench: Bench, out: Any) -> Any:
    return new(bench.put(np.ones((), out.dtype.name)).expand(tuple(out.shape)))
