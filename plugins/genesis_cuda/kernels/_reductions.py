"""The texts of the kernels of ``reduce``.

Both find an output by splitting its number along the kept axes, and an element of it along the reduced ones.
In ``block`` the threads of a block share one output, and join what they have found by shuffles, then in
shared memory; in ``thread`` each has an output of its own, so that neighbours read neighbouring memory. A
long output may be reduced in parts, which are reduced once more.
"""

from __future__ import annotations

from typing import NamedTuple

from genesis import dtype
from genesis_cuda._sizes import THREADS, WARP


class Form(NamedTuple):
    """What the text of a kernel depends on: the operation, its types, and how many axes there are."""

    op: str
    out: dtype
    x: dtype
    kept: int
    reduced: int
    wide: bool

    @property
    def finds(self) -> bool:
        """Whether the operation says where something is."""
        return self.op.startswith("arg")

    @property
    def value(self) -> str:
        """The type that a result is kept in; a sum of float32 in float64, which memory hides."""
        if self.op in ("sum", "prod"):
            return "float64" if self.out.kind == "f" else "int64"
        return self.x.name if self.x.kind == "f" else "int64"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The types of the parameters of either kernel."""
        stored = ["uint8" if t.kind == "b" else t.name for t in (self.out, self.x)]
        return (*["int64"] * (4 + 3 * self.kept - 1 + 2 * self.reduced), *[f"{name}*" for name in stored])

    @property
    def names(self) -> str:
        """The names of the parameters of either kernel."""
        kept, reduced = range(self.kept), range(self.reduced)
        return ", ".join(
            ["outputs", "parts", "chunk", "apart", *[f"n{d}" for d in kept[1:]], *[f"o{d}" for d in kept]]
            + [f"s{d}" for d in kept]
            + ["length", *[f"m{d}" for d in reduced[1:]], *[f"t{d}" for d in reduced], "out", "x"]
        )

    def join(self, a: str, b: str, at: str = "at", b_at: str = "") -> list[str]:
        """Lines that join ``b`` into ``a``."""
        if self.op in ("sum", "prod"):
            return [f"{a} = {a} {'+' if self.op == 'sum' else '*'} {b}"]
        sign = ">" if self.op.endswith("max") else "<"
        better = f"{b} {sign} {a}"
        if self.x.kind == "f":
            better = f"({better} or {b} != {b}) and {a} == {a}"
        if not self.finds:
            return [f"if {better}:", f"    {a} = {b}"]
        nans = f" or ({b} != {b} and {a} != {a})" if self.x.kind == "f" else ""
        equal = f"({b} == {a}{nans})"
        return [f"if ({better}) or ({equal} and {b_at} < {at}):", f"    {a} = {b}", f"    {at} = {b_at}"]

    def split(self, number: str, axes: int, size: str, moves: dict[str, str]) -> list[str]:
        """Lines that add to the names in ``moves`` what a number along some axes amounts to."""
        lines, rest = [], number
        for d in range(axes - 1, 0, -1):
            here, other = (
                (f"q{d} = {rest} %", f"{rest} //") if self.wide else (f"q{d} = umod({rest},", f"udiv({rest},")
            )
            close = "" if self.wide else ")"
            lines += [f"{here} {size}{d}{close}", f"r{d} = {other} {size}{d}{close}"]
            lines += [f"{name} += q{d} * {stride}{d}" for name, stride in moves.items()]
            rest = f"r{d}"
        return [*lines, *[f"{name} += {rest} * {stride}0" for name, stride in moves.items()]]

    def begin(self) -> list[str]:
        """Lines that find an output, its part, and the value to start from."""
        lines = [
            "part = item // outputs",
            "to = part * apart",
            "start = 0",
            *self.split("(item - part * outputs)", self.kept, "n", {"to": "o", "start": "s"}),
            "r = part * chunk",
            "end = min(r + chunk, length)",
        ]
        if self.op in ("sum", "prod"):
            return [*lines, f"a = {self.value}({0 if self.op == 'sum' else 1})"]
        # an extreme starts from an element
        first = ["at = r", "place = start", *self.split("at", self.reduced, "m", {"place": "t"})]
        return [*lines, *first, f"a = {self.value}(x[place])"]

    def element(self) -> list[str]:
        """Lines that take one element in."""
        return [
            "place = start",
            *self.split("r", self.reduced, "m", {"place": "t"}),
            f"v = {self.value}(x[place])",
            *self.join("a", "v", b_at="r"),
        ]

    @property
    def result(self) -> str:
        """What is stored."""
        return f"out[to] = {self.out.name}({'at' if self.finds else 'a'})"


def thread(form: Form) -> str:
    """A thread does an output, or a part of one."""
    lines = [
        f"def reduce_thread({form.names}):",
        "    item = cuda.grid(1)",
        "    while item < outputs * parts:",
        *_indent(form.begin(), 2),
        "        while r < end:",
        *_indent(form.element(), 3),
        "            r += 1",
        f"        {form.result}",
        "        item += cuda.gridsize(1)",
    ]
    return "\n".join(lines) + "\n"


def block(form: Form) -> str:
    """The threads of a block share an output, or a part of one."""
    both = form.finds
    lines = [
        f"def reduce_block({form.names}):",
        f"    values = cuda.shared.array({THREADS // WARP}, {form.value})",
        f"    places = cuda.shared.array({THREADS // WARP}, int64)" if both else "",
        "    me = cuda.threadIdx.x",
        "    item = cuda.blockIdx.x",
        "    while item < outputs * parts:",
        *_indent(form.begin(), 2),
        "        r += me",
        "        while r < end:",
        *_indent(form.element(), 3),
        f"            r += {THREADS}",
        f"        step = {WARP // 2}",
        "        while step > 0:",
        "            v = cuda.shfl_xor_sync(0xFFFFFFFF, a, step)",
        "            w = cuda.shfl_xor_sync(0xFFFFFFFF, at, step)" if both else "",
        *_indent(form.join("a", "v", b_at="w"), 3),
        "            step //= 2",
        "        cuda.syncthreads()",
        f"        if me % {WARP} == 0:",
        f"            values[me // {WARP}] = a",
        f"            places[me // {WARP}] = at" if both else "",
        "        cuda.syncthreads()",
        "        if me == 0:",
        f"            for k in range(1, {THREADS // WARP}):",
        "                v = values[k]",
        "                w = places[k]" if both else "",
        *_indent(form.join("a", "v", b_at="w"), 4),
        f"            {form.result}",
        "        item += cuda.gridDim.x",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _indent(lines: list[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]
