"""Two processes use NCCL, in whose place is `stand_in`: which calls come, in which streams."""

import nccl.core

import genesis
import genesis.distributed as dist
from genesis import nn

dist.init_process_group("nccl")
me = dist.get_rank()
place = genesis.device("cuda", me)
assert dist.get_backend_config() == "cpu:mpi,cuda:nccl"
main = genesis.cuda.current_stream(place).cuda_stream


def calls():
    found = list(nccl.core.calls)
    nccl.core.calls.clear()
    return found


# in the stream of the program, or in one beside it
x = genesis.ones(5, device=place)
dist.all_reduce(x)
assert calls() == [("allreduce", main, "float32", 5)]
assert x.tolist() == [2.0] * 5
work = dist.all_reduce(x, async_op=True)
((name, beside, _, _),) = calls()
assert name == "allreduce"
assert beside != main
assert genesis.cuda.current_stream(place).cuda_stream == main
assert work.wait()
assert x.tolist() == [4.0] * 5
with genesis.cuda.stream(genesis.cuda.Stream(place)) as _:
    chosen = genesis.cuda.current_stream(place).cuda_stream
    dist.broadcast(x, 1)
assert calls() == [("broadcast", chosen, "uint8", 20)]

# the host's tensors go by MPI
dist.all_reduce(genesis.ones(3))
assert calls() == []

# types and operations that NCCL has, and those that it does not have
for kind in ("float16", "bfloat16", "float64", "int8", "uint8", "int32", "int64"):
    dist.all_reduce(genesis.ones(3, device=place).to(getattr(genesis, kind)))
    assert calls()[0][2] == kind
dist.all_reduce(genesis.ones(3, device=place, dtype=genesis.int16))
assert calls()[0][2] == "int32"
dist.all_reduce(genesis.tensor([True, False], device=place), dist.ReduceOp.MAX)
assert calls()[0][2] == "uint8"
bits = genesis.tensor([1 + me, 4], device=place)
dist.all_reduce(bits, dist.ReduceOp.BOR)
assert calls()[0][0] == "allgather"
assert bits.tolist() == [3, 4]

# gradients go beside the backward pass
model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)).to(place)
ddp = nn.parallel.DistributedDataParallel(model, bucket_cap_mb=1e-5, gradient_as_bucket_view=True)
calls()
ddp(genesis.ones(2, 3, device=place)).sum().backward()
sent = calls()
assert [c[0] for c in sent] == ["allreduce"] * len(ddp._reducer.buckets)
assert len(sent) > 1
assert {c[1] for c in sent} == {beside}

# an error is raised by the work, or at once; a tensor on a GPU of somebody else is refused
other = genesis.ones(2, device=genesis.device("cuda", 1 - me))
try:
    dist.all_reduce(other)
except ValueError as error:
    assert "cannot be sent" in str(error), error
else:
    raise AssertionError("the tensor of another GPU was sent")
work = dist.all_reduce(other, async_op=True)
try:
    work.wait()
except ValueError:
    assert not work.is_success()
else:
    raise AssertionError("the tensor of another GPU was sent")
dist.destroy_process_group()
print(f"rank {me} is done")
