"""Arguments on which the kernels of attention, recurrent layers and the CTC loss are tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.backend_checks._samples import SAMPLES, Array, Sample, _normal


def _attention() -> list[Sample]:
    made = []
    for lead, length, source, width, values, causal in (
        ((2, 3), 5, 7, 4, 6, False),
        ((2, 3), 9, 9, 8, 8, True),
        ((), 3, 5, 4, 4, False),
        ((2,), 70, 6, 4, 3, True),
        ((2, 4), 130, 130, 16, 16, True),
        ((3,), 1, 1, 1, 1, False),
    ):
        inputs = (
            _normal(*lead, length, width),
            _normal(*lead, source, width, seed=1),
            _normal(*lead, source, values, seed=2),
        )
        options = {"scale": 0.5, "is_causal": causal}
        name = f"{(*lead, length, source)}{', causal' if causal else ''}"
        made.append(Sample((*inputs, None), options, name))
        if not causal:
            mask = np.random.default_rng(length).random((length, source)) < 0.6
            mask[:, 0] = True
            mask[-1] = length == 1  # a row that sees nothing
            made.append(Sample((*inputs, mask), options, f"{name}, a mask"))
            made.append(Sample((*inputs, _normal(1, source)), options, f"{name}, numbers to add"))
    return made


#: sizes of the steps, features of input and state
_SEQUENCES: list[tuple[tuple[int, ...], int, int]] = [
    ((3, 3, 3, 3), 2, 4),
    ((4, 4, 2, 1, 1), 3, 5),
    ((2,), 1, 1),
    ((9, 8, 8, 5, 3, 2), 3, 70),
]


def _recurrent(gates: int, states: int, biases: int, **options: Any) -> list[Sample]:
    made = []
    for sizes, inputs, width in _SEQUENCES:
        for reverse, bias in ((False, True), (True, False)):
            arrays: list[Array | None] = [_normal(sum(sizes), inputs)]
            arrays += [_normal(sizes[0], width, seed=i + 1) for i in range(states)]
            arrays += [_normal(gates * width, n, seed=n, scale=width**-0.5) for n in (inputs, width)]
            arrays += [_normal(gates * width, seed=i) if bias else None for i in range(biases)]
            if states == 2:
                arrays.append(None)  # no projection
            label = f"{sizes}{', reverse' if reverse else ''}{'' if bias else ', no bias'}"
            made.append(Sample(tuple(arrays), {"batch_sizes": sizes, "reverse": reverse, **options}, label))
    return made


def _projected() -> Sample:
    sizes, inputs, width, out = (3, 2), 2, 4, 3
    arrays = (
        _normal(5, inputs), _normal(3, out), _normal(3, width), _normal(4 * width, inputs),
        _normal(4 * width, out), _normal(4 * width), _normal(out, width),
    )  # fmt: skip
    return Sample(arrays, {"batch_sizes": sizes, "reverse": False, "keep": True}, "a projection")


def _ctc_loss() -> list[Sample]:
    made = []
    for times, n, classes, longest, label in (
        (7, 3, 5, 3, "a few steps"),
        (1, 2, 3, 1, "one step"),
        (60, 5, 8, 12, "many steps"),
        (4, 2, 3, 0, "no labels"),
    ):
        rng = np.random.default_rng(times)
        scores = _normal(times, n, classes, scale=2)
        log_probs = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
        labels = np.zeros((n, 2 * longest + 1), np.int64)
        labels[:, 1::2] = rng.integers(1, classes, (n, longest))
        jump = np.zeros(labels.shape, np.int64)
        jump[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
        last = 2 * rng.integers(0, min(longest, times // 3) + 1, (n, 1))
        lengths = rng.integers((times + 2) // 2, times + 1, (n, 1))
        made.append(Sample((log_probs, labels, jump, lengths, last), {}, label))
    return made


SAMPLES.update(
    attention=_attention,
    ctc_loss=_ctc_loss,
    lstm=lambda: [*_recurrent(4, 2, 1, keep=True), _projected()],
    gru=lambda: _recurrent(3, 1, 2, keep=True),
    rnn=lambda: [
        *_recurrent(1, 1, 1, nonlinearity="tanh"),
        *_recurrent(1, 1, 1, nonlinearity="relu")[:4],
    ],
)
