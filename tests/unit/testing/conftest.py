"""Each mistake that the kit must find costs a run of the kit: GENESIS_TEST_ALL=1 asks for all."""

from __future__ import annotations

import os

ALL = os.environ.get("GENESIS_TEST_ALL") == "1"
collect_ignore = (
    [] if ALL else ["test_broken_backend.py", "test_broken_optimizer.py", "test_broken_scheduler.py"]
)
