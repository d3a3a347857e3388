"""A curve on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The bits of the eight dots of a character of Braille, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def chart(values: NDArray[np.float64], width: int = 64, height: int = 10, encoding: str = "utf-8") -> str:
    """Draw values over their places, from 0 or the least up to the greatest.

    Args:
        values: At least one number.
        width, height: Of the curve, in characters.
        encoding: That of the terminal; where it knows no Braille, there are stars.
    """
    numbers = [float(value) for value in values if math.isfinite(value)] or [0.0]
    low, high = min(0.0, *numbers), max(numbers)
    high = high if high > low else low + 1.0
    try:
        "\u28ff\u2524".encode(encoding)
        across, down, axis, corner, line = 2, 4, "\u2524", "\u2514", "\u2500"
    except UnicodeEncodeError:
        across, down, axis, corner, line = 1, 1, "|", "+", "-"
    columns, rows = width * across, height * down
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for column in range(columns):
        value = float(values[round(column * (len(values) - 1) / max(1, columns - 1))])
        if not math.isfinite(value):
            before = None
            continue
        row = round((high - value) / (high - low) * (rows - 1))
        # A jump is drawn as an upright line.
        start = row if before is None else before + (row > before) - (row < before)
        for y in range(min(start, row), max(start, row) + 1):
            cells[y // down][column // across] |= _DOTS[y % down][column % across]
        before = row
    labels = {0: f"{high:.4g}", height - 1: f"{low:.4g}"}
    if height % 2:
        labels[height // 2] = f"{(high + low) / 2:.4g}"
    margin = max(map(len, labels.values()))
    drawn = []
    for number, row_of_cells in enumerate(cells):
        if across == 1:
            text = "".join("*" if cell else " " for cell in row_of_cells)
        else:
            text = "".join(chr(0x2800 + cell) if cell else " " for cell in row_of_cells)
        drawn.append(f"{labels.get(number, ''):>{margin}} {axis}{text}".rstrip())
    last = str(len(values) - 1)
    drawn.append(f"{'':{margin}} {corner}{line * width}")
    drawn.append(f"{'':{margin}}  0{last:>{width - 1}}")
    return "\n".join(drawn)
