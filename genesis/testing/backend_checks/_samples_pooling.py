"""Arguments on which the kernels of pooling, resampling and normalization of channels are tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.backend_checks._samples import SAMPLES, Sample, _normal

Sizes = tuple[int, ...]


def _distinct(*shape: int) -> Any:
    """Numbers in random order, none twice: float32 must not make two largest ones of them."""
    values = np.random.default_rng(sum(shape)).permutation(np.arange(int(np.prod(shape))))
    return (values.reshape(shape) - values.size / 2) / values.size


def _windows(size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes) -> Sizes:
    every = zip(size[-len(kernel) :], kernel, stride, padding, dilation, strict=True)
    return tuple([(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in every])


_POOLS: list[tuple[Sizes, Sizes, Sizes, Sizes, Sizes, str]] = [
    ((3, 4, 6), (2, 2), (2, 2), (0, 0), (1, 1), "windows of 2 beside one another"),
    ((2, 3, 9, 37), (3, 3), (2, 2), (1, 1), (1, 1), "windows of 3 that overlap"),
    ((2, 3, 7, 11), (3, 3), (1, 1), (1, 1), (1, 1), "one apart"),
    ((2, 1, 5, 8), (2, 3), (1, 2), (1, 0), (1, 1), "another size along each axis"),
    ((4, 33), (5,), (3,), (2,), (1,), "one axis"),
    ((2, 4, 5, 6), (2, 2, 2), (2, 1, 2), (0, 1, 1), (1, 1, 1), "three axes"),
    ((40, 12, 12), (2, 2), (2, 2), (1, 1), (1, 1), "many planes, padded"),
]


def _max_pool() -> list[Sample]:
    more = ((2, 9, 10), (3, 2), (1, 2), (1, 0), (2, 3), "dilation")
    made = []
    for size, kernel, stride, padding, dilation, label in [*_POOLS, more]:
        options = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        shape = _windows(size, kernel, stride, padding, dilation)
        made.append(Sample((_distinct(*size),), {**options, "shape": shape}, label))
    return made


def _avg_pool() -> list[Sample]:
    made = []
    for size, kernel, stride, padding, dilation, label in _POOLS:
        options: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
        options["shape"] = _windows(size, kernel, stride, padding, dilation)
        for include, divisor in ((True, None), (False, None), (True, 3)):
            words = f"{label}, count_include_pad={include}, divisor_override={divisor}"
            more = {"count_include_pad": include, "divisor_override": divisor}
            made.append(Sample((_normal(*size),), {**options, **more}, words))
    return made


def _adaptive() -> list[Sample]:
    tried = [((2, 3, 8, 6), (4, 3)), ((2, 3, 7, 9), (1, 1)), ((4, 7), (3,)), ((3, 4, 5), (7, 2))]
    tried += [((2, 5, 4, 6), (2, 3, 5)), ((40, 15, 15), (7, 7))]
    return [Sample((_distinct(*size),), {"shape": shape}, f"{size} to {shape}") for size, shape in tried]


def _batch_norm() -> list[Sample]:
    made = []
    for shape in ((6, 5), (4, 3, 7), (3, 8, 5, 4), (300, 65), (20, 16, 12, 12)):
        c = shape[1]
        weight, bias = _normal(c, seed=1), _normal(c, seed=2)
        x = _normal(*shape, scale=2) + 3
        options = {"eps": 1e-3}
        made.append(Sample((x, weight, bias, None, None), options, f"{shape}"))
        if shape[0] < 10:
            made.append(Sample((x, weight, None, None, None), options, f"{shape}, weight alone"))
            made.append(Sample((x, None, bias, None, None), options, f"{shape}, bias alone"))
            made.append(Sample((x, None, None, None, None), options, f"{shape}, neither"))
    for shape in ((6, 5), (3, 8, 5, 4)):
        c = shape[1]
        running = (_normal(c, seed=3), np.abs(_normal(c, seed=4)) + 0.5)
        made.append(Sample((_normal(*shape), None, None, *running), {"eps": 1e-3}, f"{shape}, running"))
    return made


def _group_norm() -> list[Sample]:
    made = []
    for shape, groups in (((4, 6), 2), ((3, 6, 5), 6), ((2, 8, 5, 4), 1), ((40, 64, 9), 8)):
        weight, bias = _normal(shape[1], seed=1), _normal(shape[1], seed=2)
        x = _normal(*shape, scale=2) + 3
        options = {"groups": groups, "eps": 1e-3}
        made.append(Sample((x, weight, bias), options, f"{shape} in {groups}"))
        made.append(Sample((x, None, None), options, f"{shape} in {groups}, neither weight nor bias"))
        made.append(Sample((x, weight, None), options, f"{shape} in {groups}, weight alone"))
    return made


def _rms_norm() -> list[Sample]:
    made = []
    for shape, axes in (((5, 8), 1), ((3, 4, 20), 2), ((700, 65), 1), ((2, 3000), 1), ((8,), 1)):
        weight = _normal(*shape[len(shape) - axes :], seed=1)
        x = _normal(*shape, scale=2) + 1
        made.append(Sample((x, weight), {"axes": axes, "eps": 1e-5}, f"{shape}, weight"))
        if shape[0] < 10:
            made.append(Sample((x, None), {"axes": axes, "eps": 0.1}, f"{shape}, a large eps"))
    return made


def _resample() -> list[Sample]:
    from genesis.ops.resampling import Table

    rng, made = np.random.default_rng(0), []
    for shape, axis, new, terms in (
        ((3, 4, 5), 2, 9, 2), ((3, 4, 5), 1, 2, 4), ((2, 7), 0, 3, 2), ((40, 30, 20), 1, 60, 2),
    ):  # fmt: skip
        places, weight = rng.integers(0, shape[axis], (new, terms)), rng.standard_normal((new, terms))
        one = Table(places[:, :1], None)
        words = f"{shape}, axis {axis} to {new}"
        made.append(Sample((_normal(*shape),), {"axis": axis, "table": Table(places, weight)}, words))
        made.append(Sample((_normal(*shape),), {"axis": axis, "table": one}, f"{words}, without weights"))
    return made


SAMPLES.update(
    max_pool=_max_pool,
    avg_pool=_avg_pool,
    adaptive_max_pool=_adaptive,
    adaptive_avg_pool=_adaptive,
    batch_norm=_batch_norm,
    group_norm=_group_norm,
    rms_norm=_rms_norm,
    resample=_resample,
)
