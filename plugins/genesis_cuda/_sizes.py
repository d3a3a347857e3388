"""How many threads work together; few in the simulator, where each is a thread of the host."""

from __future__ import annotations

from genesis_cuda._available import simulated

SIMULATED = simulated()
THREADS, WARP = (8, 4) if SIMULATED else (256, 32)  # of a block, and those of them that run in step
TILE = 4 if SIMULATED else 16  # the side of a tile of a product
MANY = 3 if SIMULATED else 16  # blocks for each multiprocessor, each thread then does more
