"""Where the windows of pooling lie, and which of them hold an element.

A geometry is fifteen numbers, three of each: the sizes of the source, how many windows there are, the size of
a window, its steps, and the padding. Places along an axis have 32 bits, so they take one register each.

``adaptive`` windows cover the axis: of n windows of an axis of s elements, window i holds elements
floor(i s / n) … ceil((i + 1) s / n) - 1.  Others slide over it.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import casts, device, typed

__all__ = ["place_of", "window_count", "windows_of", "windows_on"]

int32, udiv = casts["int32"], typed["udiv"]


@device
def window_start(adaptive, o, size, windows, kernel, stride, padding, dilation):
    """The first element of window ``o``; padding is skipped."""
    if adaptive != 0:
        return o * size // windows
    start = o * stride - padding
    if start < 0:
        start += (dilation - 1 - start) // dilation * dilation
    return start


@device
def window_end(adaptive, o, size, windows, kernel, stride, padding, dilation):
    """Beyond its last element."""
    if adaptive != 0:
        return ((o + 1) * size + windows - 1) // windows
    return min(o * stride - padding + (kernel - 1) * dilation + 1, size)


@device
def first_window(adaptive, i, size, windows, kernel, stride, padding, dilation):
    """The first window that may hold element ``i``: with a dilation it may also lie between two of it."""
    if adaptive != 0:
        return i * windows // size
    low = i + padding - (kernel - 1) * dilation
    return (low + stride - 1) // stride if low > 0 else 0


@device
def windows_after(adaptive, i, size, windows, kernel, stride, padding, dilation):
    """Beyond the last one."""
    if adaptive != 0:
        return ((i + 1) * windows + size - 1) // size
    return min((i + padding) // stride + 1, windows)


@device
def place_of(i, n0, n1, n2):
    """Element ``i`` of planes of three axes: its plane, and where it lies along each."""
    q2 = udiv(i, n2)
    q1 = udiv(q2, n1)
    plane = udiv(q1, n0)
    return plane, int32(q1 - plane * n0), int32(q2 - q1 * n1), int32(i - q2 * n2)


@device
def windows_of(adaptive, o0, o1, o2, geometry, d0, d1, d2):
    """Where window (o0, o1, o2) starts and ends along each axis."""
    s0, s1, s2, n0, n1, n2, k0, k1, k2, t0, t1, t2, p0, p1, p2 = geometry
    return (
        int32(window_start(adaptive, o0, s0, n0, k0, t0, p0, d0)),
        int32(window_end(adaptive, o0, s0, n0, k0, t0, p0, d0)),
        int32(window_start(adaptive, o1, s1, n1, k1, t1, p1, d1)),
        int32(window_end(adaptive, o1, s1, n1, k1, t1, p1, d1)),
        int32(window_start(adaptive, o2, s2, n2, k2, t2, p2, d2)),
        int32(window_end(adaptive, o2, s2, n2, k2, t2, p2, d2)),
    )


@device
def windows_on(adaptive, i0, i1, i2, geometry, d0, d1, d2):
    """The first window that may hold element (i0, i1, i2), and beyond the last, along each axis."""
    s0, s1, s2, n0, n1, n2, k0, k1, k2, t0, t1, t2, p0, p1, p2 = geometry
    return (
        int32(first_window(adaptive, i0, s0, n0, k0, t0, p0, d0)),
        int32(windows_after(adaptive, i0, s0, n0, k0, t0, p0, d0)),
        int32(first_window(adaptive, i1, s1, n1, k1, t1, p1, d1)),
        int32(windows_after(adaptive, i1, s1, n1, k1, t1, p1, d1)),
        int32(first_window(adaptive, i2, s2, n2, k2, t2, p2, d2)),
        int32(windows_after(adaptive, i2, s2, n2, k2, t2, p2, d2)),
    )


@device
def window_count(adaptive, padded, o, size, windows, kernel, stride, padding):
    """How many elements of window ``o`` an average counts; ``padded``: those of the padding too."""
    if padded != 0:
        return min(kernel, size + 2 * padding - o * stride)
    end = window_end(adaptive, o, size, windows, kernel, stride, padding, 1)
    return end - window_start(adaptive, o, size, windows, kernel, stride, padding, 1)
