"""Products by cuBLAS, through NVIDIA's own bindings (``nvmath-python``), where they are installed.

cuBLAS counts from columns to rows: what is ``out = a b`` in rows is ``out' = b' a'`` in columns, with the
same memory. float32 is multiplied in float32 (no TF32): the results then agree with those of other devices.
"""

from __future__ import annotations

from genesis.backend import View


def run(out: View, a: View, b: View) -> bool:
    """Compute the product, if a library can; else False."""
    return False
