"""Tests that run beside each other (`pytest -n`) use one thread each: two pools would wait for each other."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    import genesis

    genesis.set_num_threads(1)
