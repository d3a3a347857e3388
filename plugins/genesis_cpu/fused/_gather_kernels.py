"""The loops of convolutions: weights into panels, gatherings tile by tile, and the gradient of the weight.

A source with a border is copied image by image into a box with zeros around it; nothing else is copied.  A
result is made in blocks of channels: tiles write (places, channels), which are transposed into the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesis_cpu._kernel import Kernel
from genesis_cpu.fused._tiles import IMPORTS

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import block, call, int64_pointer, real, reals, slot, turn

#: tiles that are made before their sums are transposed into the result
CHUNK = 8


def _pack(args, lo, hi):
    """Panels of weights: unit (phase, group, block) holds (taps, columns), with zeros behind the channels."""
    panels, weight, table, size, edge = (
        slot(args, 0),
        slot(args, 1),
        slot(args, 2),
        slot(args, 3),
        slot(args, 4),
    )
    groups, blocks, columns, outs = slot(args, 5), slot(args, 6), slot(args, 7), slot(args, 8)
    per_group, per_out, wide = slot(args, 9), slot(args, 10), slot(args, 11)
    for unit in range(lo, hi):
        phase, rest = unit // (groups * blocks), unit % (groups * blocks)
        g, b = rest // blocks, rest % blocks
        entry = int64_pointer(table + 64 * phase)
        count, where = entry[0], int64_pointer(entry[6])
        panel = panels + entry[4] + rest * count * columns * size
        source = weight + (g * per_group + b * columns * per_out) * size
        live = min(columns, outs - b * columns)
        whole, steps = 0, 0
        if wide:
            whole, steps = live // edge * edge, count // edge * edge
            for j in range(0, whole, edge):
                for t in range(0, steps, edge):
                    turn(
                        source + (j * per_out + t) * size, per_out * size,
                        panel + (t * columns + j) * size, columns * size, real(0),
                    )  # fmt: skip
        for t in range(count):
            target = reals(panel + t * columns * size)
            begin = whole if t < steps else 0
            origin = reals(source + where[t] * size)
            for j in range(begin, live):
                target[j] = origin[j * per_out]
            for j in range(live, columns):
                target[j] = real(0)


def _gather(args, lo, hi):
    """Parts lo … hi - 1 of all results; a unit is one split of the places of a few images."""
    out, x, bias, panels = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    scratch, scratch_size, size, batch = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    together, splits, parts, groups = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    blocks, columns, outs, height = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    function, phases, table, padded = slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    x_image, box_image, group_bytes = slot(args, 20), slot(args, 21), slot(args, 22)
    out_image, out_plane, edge, chunk = slot(args, 23), slot(args, 24), slot(args, 25), slot(args, 26)
    channels, source_plane, source_slice, source_row = (
        slot(args, 27), slot(args, 28), slot(args, 29), slot(args, 30)
    )  # fmt: skip
    box_plane, box_slice, box_row = slot(args, 31), slot(args, 32), slot(args, 33)
    depth, rows_inside, length = slot(args, 34), slot(args, 35), slot(args, 36)
    source_start, box_start = slot(args, 37), slot(args, 38)
    pitch = columns * size
    sets = (batch + together - 1) // together
    for part in range(lo, hi):
        y = scratch + part * scratch_size
        short = y + chunk * height * pitch
        box = short + 8 * 32
        if padded:
            border = reals(box)
            for i in range(together * box_image // size):
                border[i] = real(0)
        last = -1
        for unit in range(sets * splits * part // parts, sets * splits * (part + 1) // parts):
            some, split = unit // splits, unit % splits
            first = some * together
            images = min(together, batch - first)
            source = x + first * x_image
            if padded:
                source = box
                if some != last:
                    last = some
                    for i in range(images * channels):
                        image, c = i // channels, i % channels
                        base = x + (first + image) * x_image + c * source_plane + source_start
                        base_out = box + image * box_image + c * box_plane + box_start
                        for d in range(depth):
                            for r in range(rows_inside):
                                line = reals(base + d * source_slice + r * source_row)
                                copy = reals(base_out + d * box_slice + r * box_row)
                                for k in range(length):
                                    copy[k] = line[k]
            for phase in range(phases):
                entry = int64_pointer(table + 64 * phase)
                count, places, offs, rows, target = entry[0], entry[1], entry[2], entry[3], entry[5]
                total = images * places
                chunks = (total + chunk * height - 1) // (chunk * height)
                for c in range(chunks * split // splits, chunks * (split + 1) // splits):
                    r0 = c * chunk * height
                    n = min(total - r0, chunk * height)
                    full = n // height
                    rest = n - full * height
                    if rest:  # a tile that is cut short takes its last place several times
                        cut, given = int64_pointer(short), int64_pointer(rows + 8 * r0)
                        for i in range(height):
                            cut[i] = given[min(full * height + i, n - 1)]
                    for gb in range(groups * blocks):
                        g, b = gb // blocks, gb % blocks
                        start = reals(bias + gb * pitch)
                        for r in range((full + (rest > 0)) * height):
                            row = reals(y + r * pitch)
                            for j in range(columns):
                                row[j] = start[j]
                        origin = source + g * group_bytes
                        panel = panels + entry[4] + gb * count * pitch
                        if full:
                            call(
                                function,
                                block((origin, rows + 8 * r0, offs, count, panel, y, pitch), 0.0, 0.0),
                                0, full,
                            )  # fmt: skip
                        if rest:
                            call(
                                function,
                                block(
                                    (origin, short, offs, count, panel, y + full * height * pitch, pitch),
                                    0.0, 0.0,
                                ),
                                0, 1,
                            )  # fmt: skip
                        live = min(columns, outs - b * columns)
                        whole = live // edge * edge
                        r = 0
                        while r < n:
                            image, p = (r0 + r) // places, (r0 + r) % places
                            m = min(places - p, n - r)
                            plane = out + (first + image) * out_image + (g * outs + b * columns) * out_plane
                            sums = y + r * pitch
                            if target:
                                where = int64_pointer(target)
                                for j in range(live):
                                    line = reals(plane + j * out_plane)
                                    column = reals(sums + j * size)
                                    for i in range(m):
                                        line[where[p + i]] = column[i * columns]
                            else:
                                line_at = plane + p * size
                                squares = m // edge * edge
                                for j in range(0, whole, edge):
                                    for i in range(0, squares, edge):
                                        turn(
                                            sums + i * pitch + j * size, pitch,
                                            line_at + j * out_plane + i * size, out_plane, real(0),
                                        )  # fmt: skip
                                for j in range(live):
                                    line = reals(line_at + j * out_plane)
                                    column = reals(sums + j * size)
                                    for i in range(squares if j < whole else 0, m):
                                        line[i] = column[i * columns]
                            r += m


def _weights(args, lo, hi):
    """Parts lo … hi - 1 of the gradient of the weight, each with sums of its own: (taps, channels)."""
    grad, x, sums, sums_size = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    scratch, scratch_size, size, batch = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    together, splits, parts, groups = slot(args, 8), slot(args, 9), slot(args, 10), slot(args, 11)
    blocks, columns, outs, height = slot(args, 12), slot(args, 13), slot(args, 14), slot(args, 15)
    function, shares, bias_at, padded = slot(args, 16), slot(args, 17), slot(args, 18), slot(args, 19)
    x_image, box_image, group_bytes = slot(args, 20), slot(args, 21), slot(args, 22)
    grad_image, grad_plane, edge, chunk = slot(args, 23), slot(args, 24), slot(args, 25), slot(args, 26)
    channels, source_plane, source_slice, source_row = (
        slot(args, 27), slot(args, 28), slot(args, 29), slot(args, 30)
    )  # fmt: skip
    box_plane, box_slice, box_row = slot(args, 31), slot(args, 32), slot(args, 33)
    depth, rows_inside, length = slot(args, 34), slot(args, 35), slot(args, 36)
    source_start, box_start = slot(args, 37), slot(args, 38)
    count, places, taps, pixels, tall = (
        slot(args, 39),
        slot(args, 40),
        slot(args, 41),
        slot(args, 42),
        slot(args, 43),
    )
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
                row = reals(mine + ((g * tall + t) * blocks + b) * pitch)
                for j in range(columns):
                    row[j] = real(0)
            if bias_at:
                row = reals(mine + bias_at + gb * pitch)
                for j in range(columns):
                    row[j] = real(0)
        if padded:
            border = reals(box)
            for i in range(together * box_image // size):
                border[i] = real(0)
        last = -1
        for unit in range(sets * splits * portion // parts, sets * splits * (portion + 1) // parts):
            some, split = unit // splits, unit % splits
            first = some * together
            images = min(together, batch - first)
            total = images * places
            r0 = split * chunk
            n = min(total - r0, chunk)
            if n <= 0:
                continue
            source = x + first * x_image
            if padded:
                source = box
                if some != last:
                    last = some
                    for i in range(images * channels):
                        image, c = i // channels, i % channels
                        base = x + (first + image) * x_image + c * source_plane + source_start
                        base_out = box + image * box_image + c * box_plane + box_start
                        for d in range(depth):
                            for r in range(rows_inside):
                                line = reals(base + d * source_slice + r * source_row)
                                copy = reals(base_out + d * box_slice + r * box_row)
                                for k in range(length):
                                    copy[k] = line[k]
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
                        line = reals(line_at + j * grad_plane)
                        column = reals(rows_at + j * size)
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
                call(
                    function,
                    block(
                        (
                            source + g * group_bytes, taps, pixels + 8 * r0, n, panel,
                            mine + (g * tall * blocks + b) * pitch, blocks * pitch,
                        ),
                        0.0, 0.0,
                    ),
                    0, (count + height - 1) // height,
                )  # fmt: skip


def _collect(args, lo, hi):
    """Units (group, ``edge`` taps): add the portions up, in order, and turn them to (channels, taps)."""
    out, sums, sums_size, portions = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    size, edge, count, tall = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    width, outs = slot(args, 8), slot(args, 9)
    per_group = (count + edge - 1) // edge
    for unit in range(lo, hi):
        g, t0 = unit // per_group, unit % per_group * edge
        t1 = min(count, t0 + edge)
        for t in range(t0, t1):
            at = sums + (g * tall + t) * width * size
            row = reals(at)
            for portion in range(1, portions):
                other = reals(at + portion * sums_size)
                for j in range(width):
                    row[j] = row[j] + other[j]
        begin = 0
        rows_at = sums + (g * tall + t0) * width * size
        line_at = out + (g * outs * count + t0) * size
        if t1 - t0 == edge:
            begin = outs // edge * edge
            for j in range(0, begin, edge):
                turn(rows_at + j * size, width * size, line_at + j * count * size, count * size, real(0))
        for t in range(t1 - t0):
            row = reals(rows_at + t * width * size)
            line = reals(line_at + t * size)
            for j in range(begin, outs):
                line[j * count] = row[j]


pack, gather, weights, collect = (Kernel(f, IMPORTS) for f in (_pack, _gather, _weights, _collect))
