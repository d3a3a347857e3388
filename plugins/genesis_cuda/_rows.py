"""Kernels that do rows: a short one by a warp, a long one by a whole block.

In them ``GROUP`` threads share a row, of which the caller is number ``threadIdx.x % GROUP``; ``row_sum`` and
``row_max`` join what they have. A group does one row and no more: what a loop over rows would keep from one
to the next takes registers. Where the elements of a row lie apart and those of neighbouring rows side by
side, a row is done by one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template
from genesis_cuda._sizes import THREADS, WARP

_SHORT = 8 * WARP  # elements of a row that a warp does
_ENOUGH = 4 * THREADS  # rows from which on a thread for each is enough work, however long they are
_GROUPS = {"thread": 1, "warp": WARP, "block": THREADS}


class RowKernel:
    """The forms of a kernel whose first parameters are the number of rows and their length.

    ``{of}`` in a constant becomes the name of the form.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        parameters: str,
        variant: str = "",
        forms: tuple[str, ...] = ("warp", "block"),
        **constants: Any,
    ) -> None:
        def form(of: str) -> Template:
            names: dict[str, Any] = {
                "GROUP": str(_GROUPS[of]),
                "row_sum": f"{of}_sum",
                "row_max": f"{of}_max",
                **({} if of == "warp" else {"row_last": f"{of}_last"}),
                "WARPS": str(THREADS // WARP),
            }
            for name, value in constants.items():
                names[name] = value.replace("{of}", of) if isinstance(value, str) else value
            variants = f"{variant}_{of}".strip("_")
            return Template(function, f"int64 int64 {parameters}", variant=variants, **names)

        self.forms = {of: form(of) for of in forms}

    def __call__(
        self, unit: Unit, real: str, rows: int, length: int, args: tuple[Any, ...], apart: int = 1
    ) -> None:
        """Put one launch into the stream; ``apart`` elements lie from one element of a row to the next."""
        if apart > 1 and (length <= _SHORT or rows >= _ENOUGH):
            form = "thread"
        else:
            form = "warp" if length <= _SHORT else "block"
        self.launch(form, unit, real, rows, (rows, length, *args))

    def launch(self, form: str, unit: Unit, real: str, rows: int, args: tuple[Any, ...]) -> None:
        """Put one launch of a form into the stream."""
        self.forms[form](real)(unit, -(-rows * _GROUPS[form] // THREADS), args)
