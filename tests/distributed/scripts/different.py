"""Rank 1 has another model, or fewer batches. Who asks for NCCL without one gets MPI, and is told so."""

import sys

import genesis
import genesis.distributed as dist
from genesis import nn

dist.init_process_group("nccl")
me, what = dist.get_rank(), sys.argv[1]
model = nn.parallel.DistributedDataParallel(nn.Linear(3, 4 if what == "model" and me else 2))
for _ in range(2 if me else 3):
    model(genesis.ones(5, 3)).sum().backward()
