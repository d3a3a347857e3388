"""`matmul`: one text for a GPU, where a group of work items shares tiles in local memory, and one for a CPU,
where a work item packs a panel of the right matrix and multiplies it by vectors.

Both take any strides; what lies beyond the edge of a matrix counts as 0.
"""

from __future__ import annotations

import math
from typing import Any

from genesis.backend import View, const
from genesis_opencl import _walk
from genesis_opencl._memory import memory
from genesis_opencl._scalar import c_type
from genesis_opencl._unit import Kernel, Unit, words_text
from genesis_opencl._vector import lanes
from genesis_opencl.kernels import elementwise

# words: rows, columns, depth, strides of out, a and b along both axes, number of batch axes, CPU: rows of a
# work item, then the sizes of the batch axes and their strides in out, a and b, then the three offsets
_HEAD = 12
_BATCH = """
  long o = m.w[OUT], p = m.w[OUT + 1], q = m.w[OUT + 2];
  { ulong rest = batch;
    for (int d = 0; d < (int)m.w[9]; d++) {
      const ulong size = m.w[12 + d]; const long j = rest % size; rest /= size;
      o += j * m.w[12 + ROOM + d]; p += j * m.w[12 + 2 * ROOM + d]; q += j * m.w[12 + 3 * ROOM + d];
    } }
"""

# A group of 16 x 16 work items makes 64 x 64 numbers; each of them 4 x 4, 16 apart, so that neighbours read
# and write neighbours.
_TILED = """
__kernel void run(__global T* out, __global const T* a, __global const T* b, const Words m) {
  const int x = get_local_id(0), y = get_local_id(1), lane = y * 16 + x;
  const long column = get_group_id(0) * 64, row = get_group_id(1) * 64, batch = get_group_id(2);
  const long rows = m.w[0], columns = m.w[1], depth = m.w[2];
  __local T left[16][65], right[16][65];
  BATCH
  T sum[4][4];
  for (int r = 0; r < 4; r++) for (int c = 0; c < 4; c++) sum[r][c] = 0;
  for (long k0 = 0; k0 < depth; k0 += 16) {
    for (int t = lane; t < 1024; t += 256) {
      // neighbouring work items read along the axis that lies in memory
      const int ra = m.w[6] == 1 ? t / 16 : t % 64, ka = m.w[6] == 1 ? t % 16 : t / 64;
      const int cb = m.w[7] == 1 ? t / 16 : t % 64, kb = m.w[7] == 1 ? t % 16 : t / 64;
      left[ka][ra] = row + ra < rows && k0 + ka < depth
        ? a[p + (row + ra) * m.w[5] + (k0 + ka) * m.w[6]] : (T)0;
      right[kb][cb] = column + cb < columns && k0 + kb < depth
        ? b[q + (k0 + kb) * m.w[7] + (column + cb) * m.w[8]] : (T)0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < 16; k++)
      for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++) sum[r][c] = ADD(left[k][y + 16 * r], right[k][x + 16 * c], sum[r][c]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 4; c++) {
      const long i = row + y + 16 * r, j = column + x + 16 * c;
      if (i < rows && j < columns) out[o + i * m.w[3] + j * m.w[4]] = sum[r][c];
    }
}
"""

# A work item makes a strip of two vectors of columns. It packs 256 rows of b at a time, which then lie in the
# cache, and goes down the rows of a, six at a time: twelve vectors of sums stay in registers.
_PANEL = """
#define STRIP (2 * LANES)
__kernel void run(__global T* out, __global const T* a, __global const T* b, const Words m) {
  __local V panel[256 * 2];
  __local T* flat = (__local T*)panel;
  const long column = get_group_id(0) * STRIP, start = get_group_id(1) * m.w[10], batch = get_group_id(2);
  const long stop = min(start + m.w[10], m.w[0]), depth = m.w[2];
  const int width = (int)min((long)STRIP, m.w[1] - column);
  BATCH
  a += p; b += q + column * m.w[8]; out += o + column * m.w[4];
  const long ai = m.w[5], ak = m.w[6], bk = m.w[7], bj = m.w[8], oi = m.w[3], oj = m.w[4];
  for (long k0 = 0; k0 < depth; k0 += 256) {
    const int deep = (int)min(256L, depth - k0);
    for (int k = 0; k < deep; k++) {
      __global const T* row = b + (k0 + k) * bk;
      if (width == STRIP && bj == 1)
        for (int j = 0; j < STRIP; j++) flat[k * STRIP + j] = row[j];
      else
        for (int j = 0; j < STRIP; j++) flat[k * STRIP + j] = j < width ? row[j * bj] : (T)0;
    }
    for (long i = start; i < stop; i += 6) {
      const int high = (int)min(6L, stop - i);
      // rows beyond the edge are the first one again, and are not stored
      __global const T *r0 = a + i * ai + k0 * ak, *r1 = high > 1 ? r0 + ai : r0,
        *r2 = high > 2 ? r1 + ai : r0, *r3 = high > 3 ? r2 + ai : r0, *r4 = high > 4 ? r3 + ai : r0,
        *r5 = high > 5 ? r4 + ai : r0;
      V s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0;
      for (int k = 0; k < deep; k++) {
        const V u = panel[2 * k], v = panel[2 * k + 1];
        V x;
        x = (V)r0[k * ak]; s0 = ADD(x, u, s0); t0 = ADD(x, v, t0);
        x = (V)r1[k * ak]; s1 = ADD(x, u, s1); t1 = ADD(x, v, t1);
        x = (V)r2[k * ak]; s2 = ADD(x, u, s2); t2 = ADD(x, v, t2);
        x = (V)r3[k * ak]; s3 = ADD(x, u, s3); t3 = ADD(x, v, t3);
        x = (V)r4[k * ak]; s4 = ADD(x, u, s4); t4 = ADD(x, v, t4);
        x = (V)r5[k * ak]; s5 = ADD(x, u, s5); t5 = ADD(x, v, t5);
      }
      V sums[12];
      sums[0] = s0; sums[2] = s1; sums[4] = s2; sums[6] = s3; sums[8] = s4; sums[10] = s5;
      sums[1] = t0; sums[3] = t1; sums[5] = t2; sums[7] = t3; sums[9] = t4; sums[11] = t5;
      const T* sum = (const T*)sums;
      for (int r = 0; r < high; r++)
        for (int j = 0; j < width; j++) {
          __global T* to = out + (i + r) * oi + j * oj;
          *to = k0 ? (T)(*to + sum[r * STRIP + j]) : sum[r * STRIP + j];
        }
    }
  }
}
"""

_plans: dict[Any, tuple[Kernel, tuple[int, ...], tuple[int, ...], list[int]]] = {}


def run(unit: Unit, out: View, a: View, b: View) -> None:
    """`Backend.matmul`."""
    if not out.size:
        return
    if not a.shape[-1]:  # a sum of nothing
        elementwise.run(unit, const(0), out, ())
        return
    key = (unit, out.dtype, out.shape, a.shape[-1], out.strides, a.strides, b.strides)
    found = _plans.get(key)
    if found is None:
        if len(_plans) > 2048:
            _plans.clear()
        found = _plans[key] = _plan(unit, out, a, b)
    kernel, groups, local, words = found
    target = memory(out)
    target.bounds = None
    buffers = (target.buffer, memory(a).buffer, memory(b).buffer)
    kernel(groups, local, buffers, [*words, out.offset, a.offset, b.offset])


def _plan(unit: Unit, out: View, a: View, b: View) -> Any:
    (rows, columns), depth = out.shape[-2:], a.shape[-1]
    sizes, strides = _walk.collapse(out.shape[:-2], [v.strides[:-2] for v in (out, a, b)])
    room = max(3, len(sizes))
    batches = math.prod(sizes)
    words = [rows, columns, depth, *out.strides[-2:], *a.strides[-2:], *b.strides[-2:], len(sizes), rows, 0]
    for row in (sizes, *strides):
        words += [*reversed(row), *[1] * (room - len(row))]
    strips = _up(columns, 2 * lanes(out.dtype))
    if unit.serial:
        # enough pieces for all workers, none so low that packing costs more than it saves
        pieces = max(1, min(rows // 24, unit.workers * 2 // (strips * batches)))
        if rows * columns * depth * batches < 50_000:
            pieces = 1
        height = words[10] = _up(_up(rows, pieces), 6) * 6
        groups, local = (strips, _up(rows, height), batches), (1, 1, 1)
    else:
        groups, local = (_up(columns, 64), _up(rows, 64), batches), (16, 16, 1)
    return unit.kernel(_text(unit, out, room)), groups, local, words


def _text(unit: Unit, out: View, room: int) -> str:
    c = c_type(out.dtype, unit.fp64)
    add = "#define ADD(x, y, z) ((x) * (y) + (z))\n"
    if out.dtype.kind == "f":
        fast = "FP_FAST_FMA" if c == "double" else "FP_FAST_FMAF"
        add = f"#ifdef {fast}\n#define ADD(x, y, z) fma(x, y, z)\n#else\n{add}#endif\n"
    text = (_PANEL if unit.serial else _TILED).replace("BATCH", _BATCH)
    text = text.replace("OUT + 1", str(_HEAD + 4 * room + 1)).replace("OUT + 2", str(_HEAD + 4 * room + 2))
    text = text.replace("OUT", str(_HEAD + 4 * room)).replace("ROOM", str(room))
    n = lanes(out.dtype)
    define = f"#define T {c}\n#define LANES {n}\n#define V {c}{n}\n"
    return f"{define}{add}{words_text(_HEAD + 4 * room + 3)}{text}"


def _up(n: int, by: int) -> int:
    """n / by, rounded up."""
    return -(-n // by)
