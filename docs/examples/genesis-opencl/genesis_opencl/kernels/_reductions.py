"""The texts of the kernels of `reduce`.

Their words: outputs, kept axes, elements of an output, reduced axes, length and stride of the last reduced
axis, length of the last kept axis and its stride in the output; sizes of the kept axes, their strides in
output and input, sizes of the reduced axes and their strides, all from the last axis to the first; work
items, outputs of one, and where output and input begin.
"""

from __future__ import annotations

from genesis import dtype
from genesis_opencl._scalar import c_type, convert, literal
from genesis_opencl._unit import words_text

BLOCK = 64  # neighbouring outputs of one work item of `columns`
_LANES = 8  # partial results of one output, so that the loop becomes vector instructions
_FIRST = 8  # words before those of the axes


class Parts:
    """Pieces of text for one operation and its types.

    Attributes:
        finds: whether the operation says where something is.
        value: the type that a result is kept in; a sum of float32 is kept in float64 where there is one.
        start: what a result starts from; nothing for extremes, which start from an element.
    """

    def __init__(self, op: str, out: dtype, x: dtype, room: int, depth: int, fp64: bool) -> None:
        self.op, self._out, self._x, self._fp64 = op, out, x, fp64
        self.finds = op.startswith("arg")
        self._adds = op in ("sum", "prod")
        self.result = c_type(out, fp64)
        kept = out if self._adds else x
        self.value = "double" if self._adds and kept.kind == "f" and fp64 else c_type(kept, fp64)
        self._float = kept.kind == "f"
        self.start = literal(0 if op == "sum" else 1, out) if self._adds else ""
        sizes = (("sizes", room), ("outs", room), ("ins", room), ("reduced", depth), ("steps", depth))
        self._at, word = {}, _FIRST
        for name, size in sizes:
            self._at[name] = word
            word += size
        self.items, self.per = f"m.w[{word}]", f"m.w[{word + 1}]"
        self._begin = f"long to = m.w[{word + 2}], from = m.w[{word + 3}];"
        source = c_type(x, fp64)
        self.head = (
            f"{words_text(word + 4)}{self._function()}__kernel void run("
            f"__global {self.result}* out, __global const {source}* x, const Words m) {{\n"
        )

    def _function(self) -> str:
        if not self.finds:
            return ""
        sign = ">" if self.op == "argmax" else "<"
        nan = "(b != b && a == a) || " if self._float else ""
        return f"int beats({self.value} b, {self.value} a) {{ return {nan}b {sign} a; }}\n"

    def load(self, where: str) -> str:
        """An element in the type of the result."""
        x = f"x[{where}]"
        return x if not self._adds or self._x is self._out else convert(x, self._x, self._out, self._fp64)

    def join(self, a: str, b: str) -> str:
        """A statement that joins `b` into `a`."""
        if self._adds:
            sign, wide = "+" if self.op == "sum" else "*", "" if self._float else "(ulong)"  # integers wrap
            return f"{a} = ({self.value})({wide}{a} {sign} {wide}{b});"
        nan = f" || {a} != {a}" if self._float else ""
        return f"{a} = {a} {'>=' if self.op == 'max' else '<='} {b}{nan} ? {a} : {b};"

    def begin(self, output: str) -> str:
        """Lines that find where an output lies, and its first element."""
        return self._begin + self._walk(output, "m.w[1]", "sizes", {"to": "outs", "from": "ins"}, 0)

    def element(self, position: str, first: int = 0) -> str:
        """Lines that find an element of an output; `first`: the reduced axis, from the last, to begin at."""
        return "long o = from;" + self._walk(position, "m.w[3]", "reduced", {"o": "steps"}, first)

    def _walk(self, position: str, axes: str, sizes: str, moved: dict[str, str], first: int) -> str:
        moves = " ".join(f"{name} += j * m.w[{self._at[key]} + d];" for name, key in moved.items())
        return (
            f" {{ ulong rest = {position}; for (int d = {first}; d < (int){axes}; d++) {{ const ulong size = "
            f"m.w[{self._at[sizes]} + d]; const long j = rest % size; rest /= size; {moves} }} }}"
        )


def rows(p: Parts, adjacent: bool) -> str:
    """A work item does some outputs, one after the other; `adjacent`: along memory."""
    lines = [
        f"const long item = get_global_id(0); if (item >= {p.items}) return;",
        f"const long last = min((item + 1) * {p.per}, m.w[0]);",
        "const long length = m.w[2], inner = m.w[4], step = m.w[5];",
        f"for (long n = item * {p.per}; n < last; n++) {{",
        p.begin("n"),
    ]
    step = "" if adjacent else " * step"
    if p.finds:  # along one axis
        lines += [
            f"{p.value} best = x[from]; long at = 0;",
            f"for (long i = 1; i < inner; i++) {{ const {p.value} v = x[from + i{step}];",
            "if (beats(v, best)) { best = v; at = i; } }",
            "out[to] = at; } }",
        ]
        return p.head + "\n".join(lines)
    lanes, start = range(_LANES), p.start or "x[from]"
    lines += [
        f"{p.value} {', '.join(f'a{k} = {start}' for k in lanes)};",
        "for (long r = 0; r < length; r += inner) {",
        p.element("r / inner", first=1),
        f"long i = 0; for (; i + {_LANES} <= inner; i += {_LANES}) {{",
        *[p.join(f"a{k}", p.load(f"o + (i + {k}){step}")) for k in lanes],
        "}",
        f"for (; i < inner; i++) {p.join('a0', p.load(f'o + i{step}'))}",
        "}",
    ]
    width = _LANES // 2
    while width:
        lines += [p.join(f"a{k}", f"a{k + width}") for k in range(width)]
        width //= 2
    return p.head + "\n".join([*lines, f"out[to] = ({p.result})a0;", "} }"])


def columns(p: Parts) -> str:
    """A work item does a block of outputs that are neighbours in the input."""
    lines = [
        f"const long item = get_global_id(0); if (item >= {p.items}) return;",
        f"const long length = m.w[2], across = m.w[6], blocks = (across + {BLOCK - 1}) / {BLOCK};",
        f"const long c = item % blocks * {BLOCK}, width = min((long){BLOCK}, across - c);",
        p.begin("item / blocks * across + c"),
        f"{p.value} a[{BLOCK}];",
        f"for (int k = 0; k < (int)width; k++) a[k] = {p.start or 'x[from + k]'};",
        "for (long r = 0; r < length; r++) {",
        p.element("r"),
        f"if (width == {BLOCK}) for (int k = 0; k < {BLOCK}; k++) {p.join('a[k]', p.load('o + k'))}",
        f"else for (int k = 0; k < (int)width; k++) {p.join('a[k]', p.load('o + k'))}",
        "}",
        f"for (int k = 0; k < (int)width; k++) out[to + k * m.w[7]] = ({p.result})a[k];",
        "}",
    ]
    return p.head + "\n".join(lines)


def group(p: Parts, local: int) -> str:
    """A group of `local` work items does one output."""
    lines = [
        "const long lane = get_local_id(0), length = m.w[2];",
        f"__local {p.value} values[{local}];",
        f"__local long places[{local}];" if p.finds else "",
        p.begin("get_group_id(0)"),
        f"{p.value} a = {p.start or 'x[from]'};",
        "long at = 0;" if p.finds else "",
        f"for (long r = lane; r < length; r += {local}) {{",
        p.element("r"),
        f"const {p.value} v = {p.load('o')};",
        "if (beats(v, a)) { a = v; at = r; }" if p.finds else p.join("a", "v"),
        "}",
        "values[lane] = a;",
        "places[lane] = at;" if p.finds else "",
        "barrier(CLK_LOCAL_MEM_FENCE);",
        f"for (int width = {local // 2}; width > 0; width /= 2) {{",
        f"if (lane < width) {{ const {p.value} v = values[lane + width];",
    ]
    if p.finds:  # of equal ones the first
        lines += [
            "const long place = places[lane + width];",
            "if (beats(v, a) || (!beats(a, v) && place < at)) { a = v; at = place; }",
            "values[lane] = a; places[lane] = at;",
        ]
    else:
        lines += [p.join("a", "v"), "values[lane] = a;"]
    lines += [
        "}",
        "barrier(CLK_LOCAL_MEM_FENCE);",
        "}",
        f"if (lane == 0) out[to] = ({p.result}){'at' if p.finds else 'a'};",
        "}",
    ]
    return p.head + "\n".join(line for line in lines if line)
