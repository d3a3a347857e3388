"""Devices with one mistake each: the kit finds it, says what it is, and blames nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.backend import Availability, Backend, View, philox
from genesis.plugin import BackendSpec, KernelSpec, hookimpl, isolated, register
from genesis.testing import Sample, check_backend, check_kernel
from genesis.testing.reference import RefBackend, native

Array = np.ndarray[Any, Any]


def failures(checks: Iterable[Callable[[], None]]) -> dict[str, str]:
    """The names of the checks that fail, and what they say."""
    said = {}
    for check in checks:
        try:
            check()
        except Exception as error:
            said[check.name] = f"{type(error).__name__}: {error}"
    return said


def assert_blames(backend: type[Backend], related: str, *, says: str, found_by: str) -> None:
    """Checks of the ``related`` names (globs, separated by blanks) fail, no others; one points at it."""
    said = failures(check_backend(backend))
    assert said, "the mistake was not found"
    globs = related.split()
    assert [name for name in said if not any(fnmatchcase(name, glob) for glob in globs)] == []
    assert found_by in said, sorted(said)
    assert re.search(says, said[found_by]), said[found_by]


# -- map ---------------------------------------------------------------------------------------------------
class IgnoresStrides(RefBackend):
    """Reads the first inputs of map as if they were contiguous."""

    name = "ignores_strides"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        def flat(v: View) -> View:
            if v.contiguous or not v.size or 0 in v.strides or v.same_place(out):
                return v
            start = max(0, min(v.offset, v.buffer.nbytes // v.dtype.itemsize - v.size))
            return View(v.buffer, v.dtype, (v.size,), (1,), start).reshape(v.shape)

        super().map(expr, out, *[flat(v) if isinstance(v, View) else v for v in inputs])


def test_strides_that_are_ignored() -> None:
    assert_blames(
        IgnoresStrides, "map/*/strided map/layout/*input map/layout/many* map/copy/* join",
        found_by="map/layout/transposed input",
        says=r"the strides of the input are ignored: its memory is read in order",
    )  # fmt: skip


class IgnoresOffsets(RefBackend):
    """Writes to the beginning of the buffer."""

    name = "ignores_offsets"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        if out.contiguous:
            out = View(out.buffer, out.dtype, out.shape, out.strides, 0)
        super().map(expr, out, *inputs)


def test_an_offset_that_is_ignored() -> None:
    assert_blames(
        IgnoresOffsets, "map/copy/* map/layout/rows* join", found_by="map/layout/rows output",
        says=r"the offset of the output is ignored.*in elements",
    )  # fmt: skip


class ForgetsTheRemainder(RefBackend):
    """Computes whole blocks of 1024 elements and leaves the rest."""

    name = "forgets_the_remainder"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        if out.ndim == 1 and out.size > 5000 and expr.name == "exp":
            n = out.size // 1024 * 1024
            out, inputs = out.narrow(0, 0, n), tuple(x.narrow(0, 0, n) for x in inputs)
        super().map(expr, out, *inputs)


def test_a_remainder_that_is_left_out() -> None:
    assert_blames(
        ForgetsTheRemainder, "map/exp/* map/deterministic", found_by="map/exp/float32",
        says=r"(?s)still hold what was there before.*remainder after the last.*on 37 elements is right",
    )  # fmt: skip


class InexactExp(RefBackend):
    """A fast exp with an error of 1e-4."""

    name = "inexact_exp"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        super().map(expr, out, *inputs)
        if expr.name == "exp":
            native(out)[...] *= 1.0001


def test_an_inexact_function() -> None:
    assert_blames(
        InexactExp, "map/exp/*", found_by="map/exp/float32",
        says=r"(?s)off by .* units in the last place.*allowed: 4 units.*lower precision, or approximated",
    )  # fmt: skip


class Float32Only(RefBackend):
    """Computes float64 in float32."""

    name = "float32_only"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        super().map(expr, out, *inputs)
        if out.dtype is genesis.float64 and expr.name in ("tanh", "log"):
            with np.errstate(all="ignore"):
                native(out)[...] = native(out).astype("float32")


def test_float64_computed_in_float32() -> None:
    assert_blames(
        Float32Only, "map/tanh/float64* map/log/float64*", found_by="map/tanh/float64",
        says="right to about 7 digits only: it is computed in float32",
    )  # fmt: skip


class FmaxOfC(RefBackend):
    """max as fmax of C has it: a nan loses."""

    name = "fmax_of_c"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        super().map(expr, out, *inputs)
        if expr.name == "max" and out.dtype.is_floating_point:
            x, y = (native(v) if isinstance(v, View) else v for v in inputs)
            native(out)[...] = np.fmax(x, y)


def test_a_nan_that_is_lost() -> None:
    assert_blames(
        FmaxOfC, "map/max/*/special", found_by="map/max/float32/special",
        says=r"(?s)x0 = nan.*a nan should come out.*fmax of C",
    )  # fmt: skip


class RoundingCast(RefBackend):
    """Rounds where a cast truncates."""

    name = "rounding_cast"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        super().map(expr, out, *inputs)
        x = inputs[0] if inputs else None
        if expr.name == "cast" and out.dtype.kind in "iu" and isinstance(x, View) and x.dtype.kind == "f":
            with np.errstate(all="ignore"):
                native(out)[...] = np.rint(native(x)).astype(out.dtype.name)


def test_a_cast_that_rounds() -> None:
    assert_blames(
        RoundingCast, "map/cast/float*/*int*", found_by="map/cast/float32/int32",
        says="a cast from float to integer truncates towards zero",
    )  # fmt: skip


class RemembersTheNumber(RefBackend):
    """Keeps the first number that an expression was called with, as a cache of compiled text would."""

    name = "remembers_the_number"

    def __init__(self) -> None:
        self.seen: dict[Any, Any] = {}

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        if len(inputs) == 2 and isinstance(inputs[1], float):
            inputs = (inputs[0], self.seen.setdefault((expr, out.dtype), inputs[1]))
        super().map(expr, out, *inputs)


def test_a_number_that_is_compiled_in() -> None:
    assert_blames(
        RemembersTheNumber, "map/number* scan/*", found_by="map/number changes",
        says="keep it out of the text and the key of what is compiled",
    )  # fmt: skip


class WritesAround(RefBackend):
    """Fills a row of memory to its end, beyond the view."""

    name = "writes_around"

    def map(self, expr: Any, out: View, *inputs: Any) -> None:
        super().map(expr, out, *inputs)
        if expr.name == "const" and out.ndim == 2 and out.strides[1] == 2:
            block = np.ndarray(out.buffer.nbytes // out.dtype.itemsize, out.dtype.name, out.buffer.handle)
            block[0] = 0


def test_memory_around_a_view() -> None:
    assert_blames(
        WritesAround, "map/constant", found_by="map/constant",
        says=r"memory outside of the output: 1 of .* elements are wrong",
    )  # fmt: skip


# -- the other methods -------------------------------------------------------------------------------------
class ForgetsBatches(RefBackend):
    """Multiplies the first matrices only."""

    name = "forgets_batches"

    def matmul(self, out: View, a: View, b: View) -> None:
        x, y = native(a), native(b)
        while x.ndim > 2 and x.size and y.size:
            x, y = x[0], y[0]
        native(out)[...] = np.matmul(x, y)


def test_batches_that_are_forgotten() -> None:
    assert_blames(
        ForgetsBatches, "matmul/batch*", found_by="matmul/batch",
        says="every batch holds the product of the first one",
    )  # fmt: skip


class TensorFloat(RefBackend):
    """Products of numbers with 10 bits, as some GPUs take them for float32."""

    name = "tensor_float"

    def matmul(self, out: View, a: View, b: View) -> None:
        if out.dtype is not genesis.float32:
            return super().matmul(out, a, b)

        def short(v: View) -> Array:
            bits = native(v).astype("float32").view("uint32")
            return ((bits + 0x1000) & 0xFFFFE000).astype("uint32").view("float32")

        with np.errstate(all="ignore"):
            native(out)[...] = np.matmul(short(a), short(b))


def test_products_of_low_precision() -> None:
    assert_blames(
        TensorFloat, "matmul/*", found_by="matmul/float32", says="10 bits, as TF32 and float16 have"
    )


class LosesRepeatedIndices(RefBackend):
    """``out[index] += source``, which adds the last of repeated indices alone."""

    name = "loses_repeated_indices"

    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        i = self._positions(index, axis, out.shape[axis])
        if op == "add":
            native(out)[i] += native(source)
        else:
            native(out)[i] = native(source)


def test_repeated_indices_that_are_lost() -> None:
    assert_blames(
        LosesRepeatedIndices, "scatter/add/* scatter/[rlb]*",
        found_by="scatter/add/repeated", says="of repeated indices only the last one is added",
    )  # fmt: skip


class NoBounds(RefBackend):
    """Takes any index modulo the length."""

    name = "no_bounds"

    def gather(self, out: View, x: View, index: View, axis: int) -> None:
        grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
        grid[axis] = native(index) % max(x.shape[axis], 1)
        native(out)[...] = native(x)[tuple(grid)]


def test_an_index_that_nobody_checks() -> None:
    assert_blames(
        NoBounds, "gather/index*", found_by="gather/index -1 out of range", says="it must raise IndexError"
    )


class WritesBeforeItChecks(RefBackend):
    """Scatters element by element, and stops at the wrong index."""

    name = "writes_before_it_checks"

    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        if op == "set" and index.ndim == 1:
            for i, value in zip(native(index), native(source), strict=True):
                if not 0 <= i < out.shape[0]:
                    raise IndexError(f"index {i} is out of range for an axis of length {out.shape[0]}")
                native(out)[i] = value
            return
        super().scatter(op, out, index, source, axis)


def test_a_scatter_that_writes_first() -> None:
    assert_blames(
        WritesBeforeItChecks, "scatter/index*", found_by="scatter/index 3 out of range",
        says="nothing may be written when an index is wrong",
    )  # fmt: skip


class EmptySums(RefBackend):
    """Leaves the result of an empty reduction as it was."""

    name = "empty_sums"

    def reduce(self, op: str, out: View, x: View) -> None:
        if x.size or not out.size:
            super().reduce(op, out, x)


def test_an_empty_reduction() -> None:
    assert_blames(
        EmptySums, "reduce/*/empty", found_by="reduce/prod/empty",
        says=r"(?s)still hold what was there before|the prod of nothing is 1",
    )  # fmt: skip


class LastOfEquals(RefBackend):
    """argmax gives the last of equal elements."""

    name = "last_of_equals"

    def reduce(self, op: str, out: View, x: View) -> None:
        super().reduce(op, out, x)
        if op == "argmax" and x.size and out.shape != x.shape:
            axis = next(i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b)
            last = np.argmax(np.flip(native(x), axis), axis, keepdims=True)
            native(out)[...] = x.shape[axis] - 1 - last


def test_the_last_of_equal_elements() -> None:
    assert_blames(
        LastOfEquals, "reduce/argmax/*", found_by="reduce/argmax/first of equals",
        says="of equal extremes the first one counts",
    )  # fmt: skip


class AddsInAnyOrder(RefBackend):
    """A sum whose order changes from call to call, as with atomic adds."""

    name = "adds_in_any_order"

    def __init__(self) -> None:
        self.rng = np.random.default_rng()

    def reduce(self, op: str, out: View, x: View) -> None:
        if op == "sum" and out.size == 1 and out.dtype is genesis.float32 and x.size > 1:
            shuffled = self.rng.permutation(native(x).reshape(-1))
            native(out)[...] = np.add.accumulate(shuffled, dtype="float32")[-1]
        else:
            super().reduce(op, out, x)


def test_a_sum_that_differs_from_call_to_call() -> None:
    assert_blames(
        AddsInAnyOrder, "reduce/deterministic", found_by="reduce/deterministic", says="no atomic adds"
    )


class NumbersOfItsOwn(RefBackend):
    """Draws from another generator."""

    name = "numbers_of_its_own"

    def random(self, kind: str, out: View, seed: int, offset: int) -> None:
        if kind == "uniform":
            native(out)[...] = np.random.default_rng(seed).random(out.shape)
        else:
            super().random(kind, out, seed, offset)


def test_random_numbers_of_its_own() -> None:
    assert_blames(
        NumbersOfItsOwn, "random/uniform/* random/strided random/parts*", found_by="random/uniform/float32",
        says="the numbers are those of Philox 4x32-10",
    )  # fmt: skip


class ShortSeeds(RefBackend):
    """Keeps 32 bits of the seed."""

    name = "short_seeds"

    def random(self, kind: str, out: View, seed: int, offset: int) -> None:
        native(out)[...] = philox.fill(kind, out.shape, out.dtype.name, seed & 0xFFFFFFFF, offset)


def test_a_seed_that_loses_bits() -> None:
    assert_blames(
        ShortSeeds, "random/*", found_by="random/bits/int64",
        says="only the lower 32 bits of the seed are used",
    )  # fmt: skip


class UnstableSort(RefBackend):
    """Equal elements in descending order come out backwards."""

    name = "unstable_sort"

    def sort(self, values: View, indices: View, x: View, descending: bool) -> None:
        super().sort(values, indices, x, False)
        if descending:
            self.write(values, np.ascontiguousarray(native(values)[..., ::-1]))
            self.write(indices, np.ascontiguousarray(native(indices)[..., ::-1]))


def test_a_sort_that_is_not_stable() -> None:
    assert_blames(
        UnstableSort, "sort/*", found_by="sort/stable", says="equal elements keep their order, also when"
    )


class NeverLetsGo(RefBackend):
    """A cache of views that nobody empties."""

    name = "never_lets_go"

    def __init__(self) -> None:
        self.cache: dict[int, View] = {}

    def matmul(self, out: View, a: View, b: View) -> None:
        self.cache[id(a)] = a
        super().matmul(out, a, b)


def test_memory_that_is_never_given_back() -> None:
    assert_blames(
        NeverLetsGo, "memory/is*", found_by="memory/is let go",
        says="the memory of x0 of map is never given back.*A cache must not hold views",
    )  # fmt: skip


class ReadsItself(RefBackend):
    """read gives the memory itself."""

    name = "reads_itself"

    def read(self, x: View) -> Array:
        return native(x) if x.contiguous else native(x).copy()


def test_a_read_that_does_not_copy() -> None:
    # results of the same memory, compared before and after, are the same for every check that does so
    assert_blames(
        ReadsItself, "memory/* reduce/nothing* map/index", found_by="memory/read is a copy",
        says="it must copy|a fresh row-major array",
    )  # fmt: skip


# -- devices that cannot be used ---------------------------------------------------------------------------
class NotHere(RefBackend):
    name = "not_here"

    def probe(self) -> Availability:
        return Availability(False, 0, "no driver of version 7 or later")


def test_a_device_that_cannot_be_used_has_one_check() -> None:
    (check,) = check_backend(NotHere, {"map/erf/*": "an old driver"})
    assert check.name == "loads"
    with pytest.raises(AssertionError, match=r"cannot be used here.*no driver of version 7"):
        check()


def test_a_device_whose_probe_raises_has_one_check() -> None:
    class Raises(RefBackend):
        name = "raises"

        def probe(self) -> Availability:
            raise OSError("libacme.so: cannot open shared object file")

    (check,) = check_backend(Raises)
    with pytest.raises(AssertionError, match=r"OSError: libacme\.so"):
        check()


def test_a_backend_that_lacks_a_method_has_one_check() -> None:
    class Half(Backend):
        name = "half"

    (check,) = check_backend(Half)
    with pytest.raises(AssertionError, match="abstract method"):
        check()


def test_a_device_whose_module_is_missing_has_one_check() -> None:
    class Plugin:
        @hookimpl
        def genesis_backends(self) -> list[BackendSpec]:
            return [BackendSpec("gone", "acme_gone.backend:Gone", "A device without a module.")]

    with isolated():
        register(Plugin(), name="acme-gone")
        (check,) = check_backend("gone")
        with pytest.raises(AssertionError, match=r"(?s)cannot be used here.*acme_gone"):
            check()


def test_an_unknown_device_is_refused_at_once() -> None:
    with pytest.raises(LookupError, match="rfe"):
        check_backend("rfe")
    with pytest.raises(TypeError, match="name of a device or a subclass of Backend"):
        check_backend(RefBackend())  # type: ignore[arg-type]


def test_a_check_that_is_expected_to_fail_has_to_fail() -> None:
    (wrong,) = (
        c for c in check_backend(InexactExp, {"map/exp/float32": "fast"}) if c.name == "map/exp/float32"
    )
    with pytest.raises(pytest.xfail.Exception):
        wrong()
    (right,) = (c for c in check_backend(RefBackend, {"nonzero": "slow"}) if c.name == "nonzero")
    with pytest.raises(AssertionError, match="take it out of expected_failures"):
        right()


# -- kernels -----------------------------------------------------------------------------------------------
def put(backend: Backend, array: Array, like: View) -> View:
    out = backend.empty(array.shape, like.dtype, like.buffer.device)
    backend.write(out, array.astype(like.dtype.name))
    return out


def softmax(backend: Backend, x: View, *, dim: int) -> Any:
    wide = native(x).astype("float64")
    e = np.exp(wide - wide.max(dim, keepdims=True))
    return put(backend, e / e.sum(dim, keepdims=True), x)


def softmax_backward(backend: Backend, needs: Any, grad: View, out: View, *, dim: int) -> Any:
    p, g = native(out).astype("float64"), native(grad).astype("float64")
    return (put(backend, p * (g - (g * p).sum(dim, keepdims=True)), out),)


def forgets_the_sum(backend: Backend, needs: Any, grad: View, out: View, *, dim: int) -> Any:
    return (put(backend, native(out) * native(grad), out),)


def ignores_upstream(backend: Backend, needs: Any, grad: View, out: View, *, dim: int) -> Any:
    ones = backend.empty(grad.shape, grad.dtype, grad.buffer.device)
    backend.write(ones, np.ones(grad.shape, grad.dtype.name))
    return softmax_backward(backend, needs, ones, out, dim=dim)


def writes_then_declines(backend: Backend, x: View, *, dim: int) -> Any:
    if x.ndim != 2:
        native(x)[...] = 0
        return NotImplemented
    return softmax(backend, x, dim=dim)


def always_declines(backend: Backend, x: View, *, dim: int) -> Any:
    return NotImplemented


def one_axis_only(backend: Backend, x: View, *, dim: int) -> Any:
    return softmax(backend, x, dim=-1)


def test_right_kernels_pass() -> None:
    assert failures(check_kernel(softmax, "softmax", RefBackend)) == {}
    assert failures(check_kernel(softmax_backward, "softmax.backward", RefBackend)) == {}


@pytest.mark.parametrize(
    ("kernel", "op", "found_by", "says"),
    [
        (forgets_the_sum, "softmax.backward", "float32/composed forward, own backward",
         "(?s)the gradient of x: .*it is the kernel that is wrong"),
        (ignores_upstream, "softmax.backward", "float32/composed forward, own backward",
         "the upstream gradient is ignored"),
        (writes_then_declines, "softmax", "inputs stay as they are",
         r"(?s)an input of softmax, which declined.*before it has written anything"),
        (always_declines, "softmax", "is used", "declined every sample .* never used"),
        (one_axis_only, "softmax", "float32/own forward, composed backward", r"dim=0.*\[columns\]"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_broken_kernels(kernel: Any, op: str, found_by: str, says: str) -> None:
    said = failures(check_kernel(kernel, op, RefBackend))
    assert re.search(says, said[f"kernel/softmax/{found_by}"]), said[f"kernel/softmax/{found_by}"]
    assert not any("composed forward, composed backward" in name for name in said)


class WithKernels(RefBackend):
    name = "with_kernels"
    kernels = {  # noqa: RUF012 - as authors write it
        "softmax.backward": f"{__name__}:forgets_the_sum",
        "sofmax": f"{__name__}:softmax",
        "layer_norm": f"{__name__}:no_such_function",
    }


def test_kernels_of_a_device_that_are_wrong_missing_or_misspelt() -> None:
    said = failures(check_backend(WithKernels))
    assert all(name.startswith("kernel/") for name in said)
    assert "did you mean 'softmax'?" in said["kernel/sofmax"]
    assert "no_such_function" in said["kernel/layer_norm/loads"]
    assert "kernel/softmax/float32/composed forward, own backward" in said


def wrong_adam(backend: Backend, params: Any, grads: Any, exp_avgs: Any, exp_avg_sqs: Any, tops: Any, *,
               steps: Any, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float,
               decoupled: bool, maximize: bool) -> Any:  # fmt: skip
    """Adam that takes the number of the first parameter's step for all."""
    if tops:
        return NotImplemented
    t = steps[0]
    for p, g, m, v in zip(params, grads, exp_avgs, exp_avg_sqs, strict=True):
        p, g, m, v = native(p), native(g), native(m), native(v)
        g = -g if maximize else g
        if decoupled:
            p *= 1 - lr * weight_decay
        else:
            g = g + weight_decay * p
        m[...] = m * beta1 + g * (1 - beta1)
        v[...] = v * beta2 + g * g * (1 - beta2)
        p -= lr / (1 - beta1**t) * m / (np.sqrt(v) / (1 - beta2**t) ** 0.5 + eps)
    return None


def test_a_step_of_adam_that_counts_wrongly() -> None:
    said = failures(check_kernel(wrong_adam, "adam_step", RefBackend))
    assert "steps may differ between parameters" in said["kernel/adam_step/float32/plain"]
    assert "kernel/adam_step/float32/amsgrad" not in said


def test_samples_for_an_operation_that_the_kit_does_not_know() -> None:
    from genesis.ops import op
    from genesis.ops._op import OVERRIDABLE

    @op(saves=("x",))
    def doubled(x: Any) -> Any:
        return x * 2.0

    @doubled.backward_rule
    def _doubled(needs: Any, grad: Any, x: Any) -> Any:
        return (grad * 2.0,)

    def kernel(backend: Backend, x: View) -> View:
        return put(backend, native(x) * 2, x)

    try:
        said = failures(check_kernel(kernel, "doubled", RefBackend))
        assert "Give some" in said["kernel/doubled"]
        assert (
            failures(check_kernel(kernel, "doubled", RefBackend, samples=[Sample((np.ones((3, 4)),))])) == {}
        )
    finally:
        del OVERRIDABLE["doubled"]


def test_a_declared_kernel_is_found_by_its_names() -> None:
    class Plugin:
        @hookimpl
        def genesis_kernels(self) -> list[KernelSpec]:
            return [
                KernelSpec("softmax", "ref", f"{__name__}:softmax", "Softmax in float64."),
                KernelSpec("linear", "ref", "acme_gone:linear", "Nowhere."),
            ]

    with isolated():
        register(Plugin(), name="acme-kernels")
        assert failures(check_kernel("ref:softmax")) == {}
        assert failures(check_kernel("acme-kernels:ref:softmax")) == {}
        (check,) = check_kernel("ref:linear")
        with pytest.raises(AssertionError, match=r"(?s)cannot be used here.*acme_gone"):
            check()


def test_arguments_of_check_kernel() -> None:
    with pytest.raises(TypeError, match="needs op and device"):
        check_kernel(softmax)
    with pytest.raises(TypeError, match="has its own"):
        check_kernel("cpu:softmax", "softmax", "cpu")
    with pytest.raises(LookupError):
        check_kernel("acme-kernels:cpu:softmax")
