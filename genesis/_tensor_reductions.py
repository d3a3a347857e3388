"""Reductions and statistics as methods of tensors: the functions themselves, with NumPy's names allowed."""

from __future__ import annotations

from genesis._calling import method
from genesis.autograd.graph import TensorCore
from genesis.ops import moments as mo
from genesis.ops import normalization as norm
from genesis.ops import reduction as red
from genesis.ops import scans as sc
from genesis.ops import statistics as st


class ReductionMethods(TensorCore):
    """Reductions and scans; see the function of the same name in ``genesis``."""

    all, any = method(red.all), method(red.any)
    amax, amin = method(red.amax), method(red.amin)
    aminmax = method(st.aminmax)
    argmax, argmin = method(red.argmax), method(red.argmin)
    bincount = method(st.bincount)
    corrcoef = method(mo.corrcoef)
    count_nonzero = method(st.count_nonzero)
    cov = method(mo.cov)
    cummax, cummin = method(sc.cummax), method(sc.cummin)
    cumprod, cumsum = method(red.cumprod), method(red.cumsum)
    diff = method(sc.diff)
    dist = method(mo.dist)
    histc, histogram = method(st.histc), method(st.histogram)
    kthvalue = method(st.kthvalue)
    logcumsumexp, logsumexp = method(sc.logcumsumexp), method(norm.logsumexp)
    max, min = method(red.max), method(red.min)
    mean = method(red.mean)
    median, nanmedian = method(st.median), method(st.nanmedian)
    mode = method(st.mode)
    nanmean, nansum = method(st.nanmean), method(st.nansum)
    nanquantile, quantile = method(st.nanquantile), method(st.quantile)
    norm = method(mo.norm)
    prod = method(red.prod)
    renorm = method(mo.renorm)
    std, var = method(mo.std), method(mo.var)
    sum = method(red.sum)
