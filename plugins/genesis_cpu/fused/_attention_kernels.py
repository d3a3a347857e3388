"""The kernels of attention: blocks of queries against blocks of keys, both in the nearest cache.

Queries lie side by side in vectors: scores are kept as (keys, queries), so the largest score and the sum of a
query are made without looking across a vector. Only queries are transposed for that, once a block. A sum is
made again in larger steps where a later block of keys has a larger score (Milakov and Gimelshein 2018,
arXiv:1805.02867). Where attention is causal, all loops leave out what lies behind the diagonal, up to the
height of a strip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesis_cpu._kernel import Kernel

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        ROWS,
        accumulate,
        copied_,
        filled_,
        head_,
        inf,
        mask_,
        number,
        queries_,
        real,
        reals,
        scores_,
        size_of,
        slot,
        strip,
        v_add,
        v_exp,
        v_finite,
        v_inverse,
        v_larger,
        v_load,
        v_log,
        v_mul,
        v_same,
        v_store,
        v_sub,
    )


def _attention(args, lo, hi):
    heads, length, source = slot(args, 0), slot(args, 1), slot(args, 2)
    width, out_width = slot(args, 3), slot(args, 4)
    q_row, k_row, v_row, out_row = slot(args, 15), slot(args, 16), slot(args, 17), slot(args, 18)
    mask_row, mask_column, sums_at = slot(args, 19), slot(args, 20), slot(args, 21)
    flags, room, each, cut = slot(args, 22), slot(args, 23), slot(args, 24), slot(args, 25)
    pitch, deep = slot(args, 26), slot(args, 27)  # queries and keys of a block
    zero = real(0)
    scale = real(number(args, 28))
    size = size_of(zero)
    lanes = 64 // size
    wide = (out_width + lanes - 1) // lanes * lanes
    turned_q = room + (lo * cut + heads - 1) // heads * each
    x = turned_q + width * pitch * size
    result = x + deep * pitch * size
    top = result + pitch * wide * size
    total, before = top + pitch * size, top + 2 * pitch * size
    masks = top + 3 * pitch * size
    mask_room = masks + (deep * pitch * size if flags & 6 else 0)
    values = mask_room + (deep * pitch * size if flags & 6 else 0)
    for head in range(lo, hi):
        q, k, v = head_(args, 5, head), head_(args, 7, head), head_(args, 9, head)
        out, mask = head_(args, 11, head), head_(args, 13, head)
        mask_size = 1 if flags & 2 else size
        v_pitch = v_row
        if wide != out_width:
            copied_(values, wide, v, v_row, source, out_width, real(1))
            v, v_pitch = values, wide
        for q0 in range(0, length, pitch):
            here = min(pitch, length - q0)
            whole = (here + lanes - 1) // lanes * lanes
            queries_(q + q0 * q_row * size, q_row, here, width, turned_q, pitch, scale)
            filled_(top, whole, real(-inf))
            filled_(total, whole, zero)
            columns = min(source, q0 + here) if flags & 1 else source
            for k0 in range(0, columns, deep):
                keys = min(deep, columns - k0)
                padded = (keys + ROWS - 1) // ROWS * ROWS
                if flags & 6:
                    mask_(
                        mask + (q0 * mask_row + k0 * mask_column) * mask_size, mask_row, mask_column,
                        flags, here, keys, masks, pitch, mask_room, deep, zero,
                    )  # fmt: skip
                for i in range(0, whole, lanes):
                    v_store(before + i * size, v_load(top + i * size, zero))
                for j in range(0, keys, ROWS):
                    first = k0 + j - q0
                    start = max(0, first) // lanes * lanes if flags & 1 else 0
                    place = (j * pitch + start) * size
                    scores_(
                        min(ROWS, keys - j), whole - start, width, k + (k0 + j) * k_row * size, k_row,
                        turned_q + start * size, x + place, pitch, masks + place, flags, first - start,
                        zero,
                    )  # fmt: skip
                    for i in range(start, whole, lanes):
                        most = v_load(top + i * size, zero)
                        for r in range(ROWS):
                            most = v_larger(v_load(x + ((j + r) * pitch + i) * size, zero), most)
                        v_store(top + i * size, most)
                for i in range(0, whole, lanes):
                    shift = v_finite(v_load(top + i * size, zero))
                    last = min(padded, q0 + i + lanes - k0) if flags & 1 else padded
                    some = v_same(zero)
                    for j in range(last):
                        place = x + (j * pitch + i) * size
                        e = v_exp(v_sub(v_load(place, zero), shift))
                        v_store(place, e)
                        some = v_add(some, e)
                    if k0:
                        share = v_exp(v_sub(v_load(before + i * size, zero), shift))
                        v_store(before + i * size, share)
                        some = v_add(some, v_mul(v_load(total + i * size, zero), share))
                    v_store(total + i * size, some)
                if k0:
                    shares = reals(before)
                    for i in range(here):
                        line = result + i * wide * size
                        copied_(line, wide, line, wide, 1, wide, shares[i])
                for i in range(0, here, ROWS):
                    last = min(keys, q0 + i + ROWS - k0) if flags & 1 else keys
                    if last > 0:
                        strip(
                            ROWS, wide, last, x + i * size, 1, pitch, v + k0 * v_pitch * size, v_pitch,
                            result + i * wide * size, wide, k0, zero,
                        )  # fmt: skip
            for i in range(0, whole, lanes):
                most, some = v_load(top + i * size, zero), v_load(total + i * size, zero)
                v_store(total + i * size, v_inverse(some))
                # the logarithm of a sum of nothing is inf, so that weights made of it are 0
                v_store(top + i * size, v_add(v_finite(most), v_log(some)))
            sums, shares, logs = reals(sums_at + (head * length + q0) * size), reals(total), reals(top)
            for i in range(here):
                sums[i] = real(inf) if shares[i] == zero else logs[i]
                copied_(
                    out + (q0 + i) * out_row * size, out_row, result + i * wide * size, wide, 1, out_width,
                    shares[i],
                )  # fmt: skip


def _attention_backward(args, lo, hi):
    heads, length, source = slot(args, 0), slot(args, 1), slot(args, 2)
    width, out_width = slot(args, 3), slot(args, 4)
    q_row, k_row, v_row, out_row = slot(args, 15), slot(args, 16), slot(args, 17), slot(args, 18)
    mask_row, mask_column, sums_at = slot(args, 19), slot(args, 20), slot(args, 21)
    flags, room, each, cut = slot(args, 22), slot(args, 23), slot(args, 24), slot(args, 25)
    pitch, deep = slot(args, 26), slot(args, 27)
    g_row, gq_row, gk_row, gv_row = slot(args, 36), slot(args, 37), slot(args, 38), slot(args, 39)
    zero = real(0)
    scale = real(number(args, 40))
    size = size_of(zero)
    lanes = 64 // size
    wide, out_wide = (width + lanes - 1) // lanes * lanes, (out_width + lanes - 1) // lanes * lanes
    tall = (source + ROWS - 1) // ROWS * ROWS
    turned_q = room + (lo * cut + heads - 1) // heads * each
    turned_g = turned_q + width * pitch * size
    x = turned_g + out_width * pitch * size
    d = x + ROWS * pitch * size
    found_q = d + deep * pitch * size
    sums, dots = found_q + pitch * wide * size, found_q + pitch * (wide + 1) * size
    masks = dots + pitch * size
    mask_room = masks + (deep * pitch * size if flags & 6 else 0)
    found_k = mask_room + (deep * pitch * size if flags & 6 else 0)
    found_v = found_k + tall * wide * size
    padded_q = found_v + tall * out_wide * size
    padded_g = padded_q + pitch * wide * size
    padded_k = padded_g + pitch * out_wide * size
    for head in range(lo, hi):
        q, k, v = head_(args, 5, head), head_(args, 7, head), head_(args, 9, head)
        out, mask = head_(args, 11, head), head_(args, 13, head)
        g, gq = head_(args, 28, head), head_(args, 30, head)
        gk, gv = head_(args, 32, head), head_(args, 34, head)
        mask_size = 1 if flags & 2 else size
        filled_(found_k, tall * (wide + out_wide), zero)
        right_k, right_k_row = k, k_row
        if wide != width:
            right_k, right_k_row = padded_k, wide
            copied_(right_k, wide, k, k_row, source, width, real(1))
        for q0 in range(0, length, pitch):
            here = min(pitch, length - q0)
            whole = (here + lanes - 1) // lanes * lanes
            right_q, right_q_row = q + q0 * q_row * size, q_row
            right_g, right_g_row = g + q0 * g_row * size, g_row
            queries_(right_q, q_row, here, width, turned_q, pitch, scale)
            queries_(right_g, g_row, here, out_width, turned_g, pitch, real(1))
            filled_(sums, whole, zero)
            filled_(dots, whole, zero)
            kept = reals(sums_at + (head * length + q0) * size)
            sum_, dot_ = reals(sums), reals(dots)
            for i in range(here):
                grad, result = reals(right_g + i * g_row * size), reals(out + (q0 + i) * out_row * size)
                dot = zero
                for j in range(out_width):
                    dot = accumulate(dot, grad[j] * result[j])
                sum_[i], dot_[i] = kept[i], dot
            if wide != width:
                copied_(padded_q, wide, right_q, q_row, here, width, real(1))
                right_q, right_q_row = padded_q, wide
            if out_wide != out_width:
                copied_(padded_g, out_wide, right_g, g_row, here, out_width, real(1))
                right_g, right_g_row = padded_g, out_wide
            columns = min(source, q0 + here) if flags & 1 else source
            for k0 in range(0, columns, deep):
                keys = min(deep, columns - k0)
                if flags & 6:
                    mask_(
                        mask + (q0 * mask_row + k0 * mask_column) * mask_size, mask_row, mask_column,
                        flags, here, keys, masks, pitch, mask_room, deep, zero,
                    )  # fmt: skip
                for j in range(0, keys, ROWS):
                    rows = min(ROWS, keys - j)
                    first = k0 + j - q0
                    start = max(0, first) // lanes * lanes if flags & 1 else 0
                    place = (j * pitch + start) * size
                    scores_(
                        rows, whole - start, width, k + (k0 + j) * k_row * size, k_row,
                        turned_q + start * size, x + start * size, pitch, masks + place, flags, first - start,
                        zero,
                    )  # fmt: skip
                    strip(
                        rows, whole - start, out_width, v + (k0 + j) * v_row * size, v_row, 1,
                        turned_g + start * size, pitch, d + place, pitch, 0, zero,
                    )  # fmt: skip
                    for i in range(start, whole, lanes):
                        s, dot = v_load(sums + i * size, zero), v_load(dots + i * size, zero)
                        for r in range(ROWS):
                            at_x, at_d = x + (r * pitch + i) * size, d + ((j + r) * pitch + i) * size
                            e = v_exp(v_sub(v_load(at_x, zero), s))
                            v_store(at_x, e)
                            v_store(at_d, v_mul(e, v_sub(v_load(at_d, zero), dot)))
                    since = max(0, first) if flags & 1 else 0  # the first query that sees a key of these
                    strip(
                        ROWS, out_wide, here - since, x + since * size, pitch, 1,
                        right_g + since * right_g_row * size, right_g_row,
                        found_v + (k0 + j) * out_wide * size, out_wide, 1, zero,
                    )  # fmt: skip
                    strip(
                        ROWS, wide, here - since, d + (j * pitch + since) * size, pitch, 1,
                        right_q + since * right_q_row * size, right_q_row,
                        found_k + (k0 + j) * wide * size, wide, 1, zero,
                    )  # fmt: skip
                for i in range(0, here, ROWS):
                    last = min(keys, q0 + i + ROWS - k0) if flags & 1 else keys
                    if last > 0:
                        strip(
                            ROWS, wide, last, d + i * size, 1, pitch, right_k + k0 * right_k_row * size,
                            right_k_row, found_q + i * wide * size, wide, k0, zero,
                        )  # fmt: skip
            copied_(gq + q0 * gq_row * size, gq_row, found_q, wide, here, width, scale)
        copied_(gk, gk_row, found_k, wide, source, width, scale)
        copied_(gv, gv_row, found_v, out_wide, source, out_width, real(1))


_TEXT = """\
from genesis_cpu._strips import *
from genesis_cpu._vectors import *
from genesis_cpu.fused._attention_parts import *
"""
forward, backward = Kernel(_attention, _TEXT), Kernel(_attention_backward, _TEXT)
