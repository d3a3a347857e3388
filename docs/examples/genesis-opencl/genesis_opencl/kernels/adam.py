"""`adam_step`: one pass over each parameter, its gradient and its averages, where primitives take a dozen.

It is an override: the device works without it, only slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genesis.backend import Backend, View
from genesis_opencl import _walk
from genesis_opencl._memory import memory
from genesis_opencl._scalar import c_type
from genesis_opencl._unit import Unit, number_text, number_word, words_text
from genesis_opencl.kernels import elementwise

_OPTIONS = ("sign", "l2", "keep", "new1", "keep2", "new2", "eps", "rate", "root")


def _text(unit: Unit, c: str, amsgrad: bool) -> str:
    numbers = [number_text(f"m.w[{i}]", "f", unit.fp64) for i in range(len(_OPTIONS))]
    options = "\n".join(f"  const T {o} = (T){x};" for o, x in zip(_OPTIONS, numbers, strict=True))
    n = len(_OPTIONS)
    most = "top[at4 + i] >= square || top[at4 + i] != top[at4 + i] ? top[at4 + i] : square"
    largest = f"{most}; top[at4 + i] = largest" if amsgrad else "square"
    extra = ", __global T* top" if amsgrad else ""
    return f"""{words_text(n + 7)}#define T {c}
__kernel void run(
    __global T* p, __global const T* g, __global T* mean, __global T* var{extra}, const Words m) {{
{options}
  const long at0 = m.w[{n}], at1 = m.w[{n + 1}], at2 = m.w[{n + 2}], at3 = m.w[{n + 3}], at4 = m.w[{n + 4}];
  const long per = m.w[{n + 6}], last = min(((long)get_global_id(0) + 1) * per, m.w[{n + 5}]);
  for (long i = get_global_id(0) * per; i < last; i++) {{
    const T x = p[at0 + i], d = sign * g[at1 + i] + l2 * x;
    const T old = mean[at2 + i], average = old + (d - old) * new1;
    const T square = var[at3 + i] * keep2 + d * d * new2;
    const T largest = {largest};
    mean[at2 + i] = average;
    var[at3 + i] = square;
    p[at0 + i] = x * keep - rate * (average / (sqrt(largest) / root + eps));
  }}
}}
"""


def adam_step(
    backend: Backend,
    params: Sequence[View],
    grads: Sequence[View],
    exp_avgs: Sequence[View],
    exp_avg_sqs: Sequence[View],
    max_exp_avg_sqs: Sequence[View],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    grad_scale: float = 1.0,
) -> Any:
    """One step of Adam (arXiv 1412.6980, algorithm 1) or, decoupled, AdamW (arXiv 1711.05101), in place.

    Declines what is not floating-point, and parameters or states that do not lie contiguously in memory.
    """
    dtype = params[0].dtype
    states = [params, exp_avgs, exp_avg_sqs, *([max_exp_avg_sqs] if max_exp_avg_sqs else [])]
    if not dtype.is_floating_point or not all(v.contiguous for views in states for v in views):
        return NotImplemented
    unit: Unit = memory(params[0]).unit
    kernel = unit.kernel(_text(unit, c_type(dtype, unit.fp64), bool(max_exp_avg_sqs)))
    common = (
        -grad_scale if maximize else grad_scale, 0.0 if decoupled else weight_decay,
        1 - lr * weight_decay if decoupled else 1.0, 1 - beta1, beta2, 1 - beta2, eps,
    )  # fmt: skip
    words = [number_word(float(value), unit.fp64) for value in common]
    for i, (p, g, t) in enumerate(zip(params, grads, steps, strict=True)):
        if not p.size:
            continue
        if not g.contiguous:
            copy = backend.empty(g.shape, g.dtype, g.buffer.device)
            elementwise.copy(unit, copy, g)
            g = copy
        views = [p, g, exp_avgs[i], exp_avg_sqs[i], *([max_exp_avg_sqs[i]] if max_exp_avg_sqs else [])]
        scales = (lr / (1 - beta1**t), math.sqrt(1 - beta2**t))
        places = [v.offset for v in views] + [0] * (5 - len(views))
        per = _walk.split(unit, 1, p.size, 4)[1]
        size = _walk.launch_size(unit, -(-p.size // per))
        own = [number_word(float(value), unit.fp64) for value in scales]
        kernel(*size, [memory(v).buffer for v in views], (*words, *own, *places, p.size, per))
    return None
