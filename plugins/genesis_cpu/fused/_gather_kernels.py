"""The loops of convolutions: weights into panels, products tile by tile, and the gradient of the weight.

A source with a border is copied image by image into a box with zeros around it; nothing else is copied.  A
result is made in blocks of channels: tiles write (places, channels), which are transposed into the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesis_cpu._cache import source
from genesis_cpu._kernel import Kernel
from genesis_cpu.fused._tiles import IMPORTS

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import block, call, int64_pointer, real, reals, slot, turn

#: tiles that are made before their sums are transposed into the result
CHUNK = 8


def fill_boxes(args, k, x, box, images, size):
    """Copy images into their boxes, whose borders are zero."""
    x_image, box_image, channels = slot(args, k), slot(args, k + 1), slot(args, k + 2)
    x_plane, x_slice, x_row = slot(args, k + 3), slot(args, k + 4), slot(args, k + 5)
    box_plane, box_slice, box_row = slot(args, k + 6), slot(args, k + 7), slot(args, k + 8)
    depth, rows, length = slot(args, k + 9), slot(args, k + 10), slot(args, k + 11)
    x += slot(args, k + 12)
    box += slot(args, k + 13)
    for i in range(images):
        for c in range(channels):
            for d in range(depth):
                at = x + i * x_image + c * x_plane + d * x_slice
                to = box + i * box_image + c * box_plane + d * box_slice
                for r in range(rows):
                    line, copy = reals(at + r * x_row), reals(to + r * box_row)
                    for j in range(length):
                        copy[j] = line[j]


def clear(at, count):
    """Zeros."""
    values = reals(at)
    for i in range(count):
        values[i] = real(0)


def _pack(args, lo, hi):
    """Panels of weights: unit (group, block) holds (channels and taps, columns), zeros behind the columns."""
    panels, weight, size, edge = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    blocks, columns, outs = slot(args, 4), slot(args, 5), slot(args, 6)
    per_group, per_out, per_channel = slot(args, 7), slot(args, 8), slot(args, 9)
    channels, taps = slot(args, 10), slot(args, 11)
    pitch = columns * size
    squares = taps // edge * edge
    for unit in range(lo, hi):
        g, b = unit // blocks, unit % blocks
        live = min(columns, outs - b * columns)
        whole = live // edge * edge
        for c in range(channels):
            origin = weight + (g * per_group + b * columns * per_out + c * per_channel) * size
            panel = panels + (unit * channels + c) * taps * pitch
            for j in range(0, whole, edge):
                for t in range(0, squares, edge):
                    turn(
                        origin + (j * per_out + t) * size, per_out * size,
                        panel + t * pitch + j * size, pitch, real(0),
                    )  # fmt: skip
            for t in range(taps):
                target, given = reals(panel + t * pitch), reals(origin + t * size)
                for j in range(whole if t < squares else 0, live):
                    target[j] = given[j * per_out]
                for j in range(live, columns):
                    target[j] = real(0)


def _gather(args, lo, hi):
    """Parts lo … hi - 1 of all results; a unit is one split of the places of a few images."""
    out, x, bias, panels = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    scratch, scratch_size, size, batch = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    together, splits, parts, groups = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    blocks, columns, outs, height = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    function, edge, chunk, padded = slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    x_image, box_image, group_bytes = slot(args, 20), slot(args, 21), slot(args, 34)
    panel_size, out_image, out_plane = slot(args, 35), slot(args, 36), slot(args, 37)
    phases, table, heavy = slot(args, 38), slot(args, 39), slot(args, 40)
    pitch = columns * size
    sets = (batch + together - 1) // together
    for part in range(lo, hi):
        y = scratch + part * scratch_size
        short = y + chunk * height * pitch
        box = short + 8 * 32
        if padded:
            clear(box, together * box_image // size)
        last = -1
        for unit in range(sets * splits * part // parts, sets * splits * (part + 1) // parts):
            some, split = unit // splits, unit % splits
            first = some * together
            images = min(together, batch - first)
            origin = x + first * x_image
            if padded:
                if some != last:
                    last = some
                    fill_boxes(args, 20, origin, box, images, size)
                origin = box
            for phase in range(phases):
                entry = int64_pointer(table + 64 * phase)
                count, places, offs, rows = entry[0], entry[1], entry[2], entry[3]
                target, begin = entry[4], entry[5]
                total = images * places
                chunks = (total + chunk * height - 1) // (chunk * height)
                c0, c1 = chunks * split // splits, chunks * (split + 1) // splits
                for step in range((c1 - c0) * groups * blocks):
                    if heavy:  # all places by one panel, then the next panel
                        gb, c = step // (c1 - c0), c0 + step % (c1 - c0)
                    else:
                        gb, c = step % (groups * blocks), c0 + step // (groups * blocks)
                    g, b = gb // blocks, gb % blocks
                    r0 = c * chunk * height
                    n = min(total - r0, chunk * height)
                    full = n // height
                    rest = n - full * height
                    if rest:  # a tile that is cut short takes its last place several times
                        cut, given = int64_pointer(short), int64_pointer(rows + 8 * r0)
                        for i in range(height):
                            cut[i] = given[min(full * height + i, n - 1)]
                    start = reals(bias + gb * pitch)
                    for r in range((full + (rest > 0)) * height):
                        row = reals(y + r * pitch)
                        for j in range(columns):
                            row[j] = start[j]
                    planes = origin + g * group_bytes
                    panel = panels + gb * panel_size
                    call(
                        function,
                        block((planes, rows + 8 * r0, offs, count, panel, y, pitch), 0.0, 0.0),
                        0, full,
                    )  # fmt: skip
                    if rest:
                        call(
                            function,
                            block(
                                (planes, short, offs, count, panel, y + full * height * pitch, pitch),
                                0.0, 0.0,
                            ),
                            0, 1,
                        )  # fmt: skip
                    live = min(columns, outs - b * columns)
                    r = 0
                    while r < n:
                        image, p = (r0 + r) // places, (r0 + r) % places
                        m = min(places - p, n - r)
                        plane = out + (first + image) * out_image + (g * outs + b * columns) * out_plane
                        sums = y + r * pitch
                        whole, squares = 0, 0
                        if target:
                            where = int64_pointer(target)
                            for j in range(live):
                                line, column = reals(plane + j * out_plane), reals(sums + j * size)
                                for i in range(m):
                                    line[where[p + i]] = column[i * columns]
                        else:
                            plane += (begin + p) * size
                            whole, squares = live // edge * edge, m // edge * edge
                            for j in range(0, whole, edge):
                                for i in range(0, squares, edge):
                                    turn(
                                        sums + i * pitch + j * size, pitch,
                                        plane + j * out_plane + i * size, out_plane, real(0),
                                    )  # fmt: skip
                            for j in range(live):
                                line, column = reals(plane + j * out_plane), reals(sums + j * size)
                                for i in range(squares if j < whole else 0, m):
                                    line[i] = column[i * columns]
                        r += m


def _weights(args, lo, hi):
    """Parts lo … hi - 1 of the gradient of the weight, each with sums of its own: (rows, channels)."""
    grad, x, sums, sums_size = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    scratch, scratch_size, size, batch = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    together, splits, portions, groups = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    blocks, columns, outs, height = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    function, edge, chunk, padded = slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    x_image, box_image, group_bytes = slot(args, 20), slot(args, 21), slot(args, 34)
    places, grad_image, grad_plane = slot(args, 35), slot(args, 36), slot(args, 37)
    phases, table, tall, shares, bias_at = (
        slot(args, 38), slot(args, 39), slot(args, 40), slot(args, 41), slot(args, 42)
    )  # fmt: skip
    pitch = columns * size
    sets = (batch + together - 1) // together
    for part in range(lo, hi):
        portion, share = part // shares, part % shares
        panel = scratch + part * scratch_size
        box = panel + chunk * pitch
        mine = sums + portion * sums_size
        g0, g1 = groups * blocks * share // shares, groups * blocks * (share + 1) // shares
        for gb in range(g0, g1):
            g, b = gb // blocks, gb % blocks
            for t in range(tall):
                clear(mine + ((g * tall + t) * blocks + b) * pitch, columns)
            if bias_at:
                clear(mine + bias_at + gb * pitch, columns)
        if padded:
            clear(box, together * box_image // size)
        last = -1
        for unit in range(sets * splits * portion // portions, sets * splits * (portion + 1) // portions):
            some, split = unit // splits, unit % splits
            first = some * together
            images = min(together, batch - first)
            r0 = split * chunk
            n = min(images * places - r0, chunk)
            if n <= 0:
                continue
            origin = x + first * x_image
            if padded:
                if some != last:
                    last = some
                    fill_boxes(args, 20, origin, box, images, size)
                origin = box
            for gb in range(g0, g1):
                g, b = gb // blocks, gb % blocks
                live = min(columns, outs - b * columns)
                whole = live // edge * edge
                r = 0
                while r < n:
                    image, p = (r0 + r) // places, (r0 + r) % places
                    m = min(places - p, n - r)
                    squares = m // edge * edge
                    line_at = (
                        grad + (first + image) * grad_image + (g * outs + b * columns) * grad_plane + p * size
                    )
                    rows_at = panel + r * pitch
                    for j in range(0, whole, edge):
                        for i in range(0, squares, edge):
                            turn(
                                line_at + j * grad_plane + i * size, grad_plane,
                                rows_at + i * pitch + j * size, pitch, real(0),
                            )  # fmt: skip
                    for j in range(live):
                        line, column = reals(line_at + j * grad_plane), reals(rows_at + j * size)
                        for i in range(squares if j < whole else 0, m):
                            column[i * columns] = line[i]
                    if live < columns:
                        for i in range(m):
                            row = reals(rows_at + i * pitch)
                            for j in range(live, columns):
                                row[j] = real(0)
                    r += m
                if bias_at:
                    row = reals(mine + bias_at + gb * pitch)
                    for i in range(n):
                        given = reals(panel + i * pitch)
                        for j in range(columns):
                            row[j] = row[j] + given[j]
                for phase in range(phases):
                    entry = int64_pointer(table + 64 * phase)
                    starts = int64_pointer(entry[4])
                    begin = starts[split]
                    count = min(starts[split + 1], images * entry[1]) - begin
                    call(
                        function,
                        block(
                            (
                                origin + g * group_bytes, entry[3], entry[2] + 16 * begin, count,
                                panel - r0 * pitch, mine + ((g * tall + entry[5]) * blocks + b) * pitch,
                                blocks * pitch,
                            ),
                            0.0, 0.0,
                        ),
                        0, (entry[0] + height - 1) // height,
                    )  # fmt: skip


def _collect(args, lo, hi):
    """Parts of the units (group, ``edge`` taps): add the portions up in order, turn to (channels, taps)."""
    out, sums, sums_size, portions = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    size, edge, count, tall = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    width, outs, scratch, parts = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    units, where = slot(args, 12), int64_pointer(slot(args, 13))
    per_group = (count + edge - 1) // edge
    pitch = width * size
    for part in range(lo, hi):
        square = scratch + part * edge * pitch
        for unit in range(units * part // parts, units * (part + 1) // parts):
            g, t0 = unit // per_group, unit % per_group * edge
            n = min(count - t0, edge)
            for t in range(n):
                at = sums + (g * tall + where[t0 + t]) * pitch
                row, given = reals(square + t * pitch), reals(at)
                for j in range(width):
                    row[j] = given[j]
                for portion in range(1, portions):
                    given = reals(at + portion * sums_size)
                    for j in range(width):
                        row[j] = row[j] + given[j]
            target = out + (g * outs * count + t0) * size
            begin = 0
            if n == edge:
                begin = outs // edge * edge
                for j in range(0, begin, edge):
                    turn(square + j * size, pitch, target + j * count * size, count * size, real(0))
            for t in range(n):
                row, line = reals(square + t * pitch), reals(target + t * size)
                for j in range(begin, outs):
                    line[j * count] = row[j]


_HELPERS = "".join(f"\n\n@njit(error_model='numpy')\n{source(function)}" for function in (fill_boxes, clear))
_TEXT = f"{IMPORTS}\nfrom numba import njit{_HELPERS}"
pack, gather, weights, collect = (Kernel(f, _TEXT) for f in (_pack, _gather, _weights, _collect))
