"""`random`: Philox 4x32-10 on the device, number for number that of `genesis.backend.philox`."""

from __future__ import annotations

from genesis.backend import View
from genesis_opencl import _walk
from genesis_opencl._memory import memory
from genesis_opencl._scalar import c_type
from genesis_opencl._unit import Unit, words_text

# words: count, first block, numbers to skip in it, both halves of the seed, blocks, blocks of a work item,
# offset; the kind decides what becomes of the four words of a block
_TEXT = """
__kernel void run(__global T* out, const Words m) {
  const long item = get_global_id(0), last = min((item + 1) * m.w[6], m.w[5]);
  for (long block = item * m.w[6]; block < last; block++) {
    const ulong counter = (ulong)(m.w[1] + block);
    uint c0 = (uint)counter, c1 = (uint)(counter >> 32), c2 = 0, c3 = 0;
    uint k0 = (uint)m.w[3], k1 = (uint)m.w[4];
    for (int round = 0; round < 10; round++) {
      const ulong p0 = (ulong)c0 * 0xD2511F53UL, p1 = (ulong)c2 * 0xCD9E8D57UL;
      c0 = (uint)(p1 >> 32) ^ c1 ^ k0; c1 = (uint)p1;
      c2 = (uint)(p0 >> 32) ^ c3 ^ k1; c3 = (uint)p0;
      k0 += 0x9E3779B9U; k1 += 0xBB67AE85U;
    }
    const uint words[4] = {c0, c1, c2, c3};
    STORE
  }
}
"""
_EACH = """const long at = 4 * block - m.w[2];
    for (int k = 0; k < 4; k++) if (at + k >= 0 && at + k < m.w[0]) out[m.w[7] + at + k] = (T)(VALUE);"""
_STORE = {
    "uniform": _EACH.replace("VALUE", "(float)(words[k] >> 8) * 0x1p-24f"),
    "bits": _EACH.replace("VALUE", "words[k]"),
    # Box and Muller, in float64
    "normal": """const long at = 2 * block - m.w[2];
    for (int k = 0; k < 2; k++) if (at + k >= 0 && at + k < m.w[0]) {
      const double radius = sqrt(-2.0 * log(((double)words[2 * k] + 1.0) * 0x1p-32));
      out[m.w[7] + at + k] = (T)(radius * cos((double)words[2 * k + 1] * (6.283185307179586 * 0x1p-32)));
    }""",
}


def knows(unit: Unit, kind: str) -> bool:
    """Whether the device can draw this kind: normal numbers need float64."""
    return kind in _STORE and (unit.fp64 or kind != "normal")


def run(unit: Unit, kind: str, out: View, seed: int, offset: int) -> None:
    """`Backend.random` into a contiguous view."""
    each = 2 if kind == "normal" else 4  # numbers of a block
    first, skip = divmod(offset, each)
    blocks = -(-(skip + out.size) // each)
    per = -(-blocks // min(unit.workers * 4, max(1, blocks // 1024))) if unit.serial else 1
    words = (out.size, first, skip, seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF, blocks, per, out.offset)
    text = _TEXT.replace("STORE", _STORE[kind])
    text = f"#define T {c_type(out.dtype, unit.fp64)}\n{words_text(len(words))}{text}"
    memory(out).bounds = None
    unit.kernel(text)(*_walk.launch_size(unit, -(-blocks // per)), (memory(out).buffer,), words)
