"""Kernels that do one row after another: a short row by a warp, a long one by a whole block.

In them ``GROUP`` threads share a row, of which the caller is number ``threadIdx.x % GROUP``; ``row_sum`` and
``row_max`` join what they have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template
from genesis_cuda._sizes import MANY, THREADS, WARP

_SHORT = 8 * WARP  # elements of a row that a warp does


class RowKernel:
    """Both forms of a kernel whose first parameters are the number of rows and their length."""

    def __init__(
        self, function: Callable[..., Any], parameters: str, variant: str = "", **constants: Any
    ) -> None:
        def form(of: str, size: str) -> Template:
            names: dict[str, Any] = {
                "GROUP": size,
                "row_sum": f"{of}_sum",
                "row_max": f"{of}_max",
                "WARPS": str(THREADS // WARP),
            }
            return Template(
                function,
                f"int64 int64 {parameters}",
                variant=f"{variant}_{of}".strip("_"),
                **names,
                **constants,
            )

        self.by_warp, self.by_block = form("warp", str(WARP)), form("block", str(THREADS))

    def __call__(self, unit: Unit, real: str, rows: int, length: int, args: tuple[Any, ...]) -> None:
        """Put one launch into the stream."""
        short = length <= _SHORT
        kernel = (self.by_warp if short else self.by_block)(real)
        blocks = -(-rows * WARP // THREADS) if short else rows
        kernel(unit, min(blocks, MANY * unit.processors), (rows, length, *args))
