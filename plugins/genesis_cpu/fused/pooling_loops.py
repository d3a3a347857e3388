"""The loops of pooling: a row of windows at a time, forwards; a plane at a time, backwards.

Which elements a window holds stands in small tables, one for each axis; the usual windows of 2 and 3
elements, 2 apart, have loops of their own, in which the compiler knows these numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesis_cpu._kernel import Kernel

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, int64_pointer, number, real, reals, slot, udiv, umod

# The block of all kernels: three addresses; sizes of the input and of the result (three axes each, those that
# are not there 1); the tables of first elements, of lengths and of divisors for each axis; the steps within a
# window; bytes of an element; for windows known to the compiler how many elements they have, and from which
# to which they lie inside (4: there is one window, all elements). The range of a forward kernel is planes
# times the depth of the result.


def _max_pool(args, lo, hi):
    deep, high, wide = slot(args, 3), slot(args, 4), slot(args, 5)
    depth, height, width = slot(args, 6), slot(args, 7), slot(args, 8)
    step_d, step_h, step_w = slot(args, 18), slot(args, 19), slot(args, 20)
    size, known, left, right = slot(args, 21), slot(args, 22), slot(args, 23), slot(args, 24)
    firsts, lengths = int64_pointer(slot(args, 11)), int64_pointer(slot(args, 14))
    tops, heights = int64_pointer(slot(args, 10)), int64_pointer(slot(args, 13))
    for level in range(lo, hi):
        od, plane = 0, level
        if depth > 1:
            od, plane = umod(level, depth), udiv(level, depth)
        x = reals(slot(args, 1) + plane * deep * high * wide * size)
        d0, dn = int64_pointer(slot(args, 9))[od], int64_pointer(slot(args, 12))[od]
        for oh in range(height):
            row = level * height + oh
            out = reals(slot(args, 0) + row * width * size)
            where = int64_pointer(slot(args, 2) + row * width * 8)
            h0, hn = tops[oh], heights[oh]
            start, stop = width, width
            if known == 2 and hn == 2:
                start, stop = left, right
                a = (d0 * high + h0) * wide + firsts[left] - 2 * left
                for ow in range(start, stop):
                    place = a + 2 * ow
                    best = x[place]
                    for i in range(2):
                        for j in range(2):
                            v = x[a + 2 * ow + i * wide + j]
                            take = (v > best) | (v != v)
                            best = v if take else best
                            place = a + 2 * ow + i * wide + j if take else place
                    out[ow] = best
                    where[ow] = place
            elif known == 3 and hn == 3:
                start, stop = left, right
                a = (d0 * high + h0) * wide + firsts[left] - 2 * left
                for ow in range(start, stop):
                    place = a + 2 * ow
                    best = x[place]
                    for i in range(3):
                        for j in range(3):
                            v = x[a + 2 * ow + i * wide + j]
                            take = (v > best) | (v != v)
                            best = v if take else best
                            place = a + 2 * ow + i * wide + j if take else place
                    out[ow] = best
                    where[ow] = place
            for part in range(2):
                for ow in range(stop * part, width if part else start):
                    w0, wn = firsts[ow], lengths[ow]
                    place = (d0 * high + h0) * wide + w0
                    best = x[place]
                    for i in range(dn):
                        for j in range(hn):
                            line = ((d0 + i * step_d) * high + h0 + j * step_h) * wide + w0
                            for k in range(wn):
                                v = x[line + k * step_w]
                                take = (v > best) | (v != v)
                                best = v if take else best
                                place = line + k * step_w if take else place
                    out[ow] = best
                    where[ow] = place


def _max_backward(args, lo, hi):
    """Planes: zeros, and the gradient of each window where its largest element was."""
    inside, outside, size = slot(args, 3), slot(args, 4), slot(args, 5)
    for plane in range(lo, hi):
        gx = reals(slot(args, 0) + plane * inside * size)
        g = reals(slot(args, 1) + plane * outside * size)
        where = int64_pointer(slot(args, 2) + plane * outside * 8)
        for i in range(inside):
            gx[i] = real(0)
        for i in range(outside):
            gx[where[i]] += g[i]


def _avg_pool(args, lo, hi):
    deep, high, wide = slot(args, 3), slot(args, 4), slot(args, 5)
    depth, height, width = slot(args, 6), slot(args, 7), slot(args, 8)
    size, known, left, right = slot(args, 21), slot(args, 22), slot(args, 23), slot(args, 24)
    firsts, lengths = int64_pointer(slot(args, 11)), int64_pointer(slot(args, 14))
    counts = int64_pointer(slot(args, 17))
    override = real(number(args, 25))
    inside = deep * high * wide
    if known == 4:  # one window that is the whole plane
        scale = real(1) / (override if override != real(0) else real(inside))
        for plane in range(lo, hi):
            x = reals(slot(args, 1) + plane * inside * size)
            total = real(0)
            for i in range(inside):
                total = accumulate(total, x[i])
            reals(slot(args, 0))[plane] = total * scale
        return
    for level in range(lo, hi):
        od, plane = 0, level
        if depth > 1:
            od, plane = umod(level, depth), udiv(level, depth)
        x = reals(slot(args, 1) + plane * deep * high * wide * size)
        d0, dn = int64_pointer(slot(args, 9))[od], int64_pointer(slot(args, 12))[od]
        for oh in range(height):
            out = reals(slot(args, 0) + (level * height + oh) * width * size)
            h0, hn = int64_pointer(slot(args, 10))[oh], int64_pointer(slot(args, 13))[oh]
            lines = int64_pointer(slot(args, 15))[od] * int64_pointer(slot(args, 16))[oh]
            scale = real(1)
            if known > 0:
                scale = real(1) / (override if override != real(0) else real(lines * counts[left]))
            start, stop = width, width
            if known == 1:  # one from window to window
                start, stop = left, right
                n = lengths[left]
                for ow in range(start, stop):
                    out[ow] = real(0)
                for i in range(dn):
                    for j in range(hn):
                        for k in range(n):
                            line = ((d0 + i) * high + h0 + j) * wide + firsts[left] - left + k
                            for ow in range(start, stop):
                                out[ow] += x[line + ow]
                for ow in range(start, stop):
                    out[ow] = out[ow] * scale
            elif known == 2 and dn == 1 and hn == 2:
                start, stop = left, right
                a = (d0 * high + h0) * wide + firsts[left] - 2 * left
                b = a + wide
                for ow in range(start, stop):
                    out[ow] = (x[a + 2 * ow] + x[a + 2 * ow + 1] + x[b + 2 * ow] + x[b + 2 * ow + 1]) * scale
            for part in range(2):
                for ow in range(stop * part, width if part else start):
                    w0, wn = firsts[ow], lengths[ow]
                    total = real(0)
                    for i in range(dn):
                        if wn == wide:  # the lines follow one another
                            line = ((d0 + i) * high + h0) * wide
                            for k in range(hn * wide):
                                total = accumulate(total, x[line + k])
                        else:
                            for j in range(hn):
                                line = ((d0 + i) * high + h0 + j) * wide + w0
                                for k in range(wn):
                                    total = total + x[line + k]
                    out[ow] = total / (override if override != real(0) else real(lines * counts[ow]))


def _avg_backward(args, lo, hi):
    """Planes: zeros, and the gradient of each window, divided, added to its elements."""
    deep, high, wide = slot(args, 3), slot(args, 4), slot(args, 5)
    depth, height, width = slot(args, 6), slot(args, 7), slot(args, 8)
    size, known, left, right = slot(args, 21), slot(args, 22), slot(args, 23), slot(args, 24)
    firsts, lengths = int64_pointer(slot(args, 11)), int64_pointer(slot(args, 14))
    counts = int64_pointer(slot(args, 17))
    override = real(number(args, 25))
    inside = deep * high * wide
    for plane in range(lo, hi):
        gx = reals(slot(args, 0) + plane * inside * size)
        for i in range(inside):
            gx[i] = real(0)
        for row in range(depth * height):
            g = reals(slot(args, 1) + (plane * depth * height + row) * width * size)
            oh, od = row, 0
            if depth > 1:
                oh, od = umod(row, height), udiv(row, height)
            d0, dn = int64_pointer(slot(args, 9))[od], int64_pointer(slot(args, 12))[od]
            h0, hn = int64_pointer(slot(args, 10))[oh], int64_pointer(slot(args, 13))[oh]
            lines = int64_pointer(slot(args, 15))[od] * int64_pointer(slot(args, 16))[oh]
            scale = real(1)
            if known > 0:
                scale = real(1) / (override if override != real(0) else real(lines * counts[left]))
            start, stop = width, width
            if known == 1:
                start, stop = left, right
                n = lengths[left]
                for i in range(dn):
                    for j in range(hn):
                        for k in range(n):
                            line = ((d0 + i) * high + h0 + j) * wide + firsts[left] - left + k
                            for ow in range(start, stop):
                                gx[line + ow] += g[ow] * scale
            elif known == 2 and dn == 1 and hn == 2:
                start, stop = left, right
                a = (d0 * high + h0) * wide + firsts[left] - 2 * left
                b = a + wide
                for ow in range(start, stop):
                    v = g[ow] * scale
                    gx[a + 2 * ow] += v
                    gx[a + 2 * ow + 1] += v
                    gx[b + 2 * ow] += v
                    gx[b + 2 * ow + 1] += v
            for part in range(2):
                for ow in range(stop * part, width if part else start):
                    w0, wn = firsts[ow], lengths[ow]
                    v = g[ow] / (override if override != real(0) else real(lines * counts[ow]))
                    for i in range(dn):
                        if wn == wide:
                            line = ((d0 + i) * high + h0) * wide
                            for k in range(hn * wide):
                                gx[line + k] += v
                        else:
                            for j in range(hn):
                                line = ((d0 + i) * high + h0 + j) * wide + w0
                                for k in range(wn):
                                    gx[line + k] += v


max_forward, max_back = Kernel(_max_pool), Kernel(_max_backward)
avg_forward, avg_back = Kernel(_avg_pool), Kernel(_avg_backward)
