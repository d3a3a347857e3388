"""Every collective operation, against what one process computes that knows what all have."""

import os
import warnings

import numpy as np

import genesis
import genesis.distributed as dist
from genesis.distributed import ReduceOp

assert "RANK" in os.environ and "LOCAL_RANK" in os.environ  # set by the import, as torchrun does
dist.init_process_group("gloo", init_method="env://")
me, n = dist.get_rank(), dist.get_world_size()
assert (me, n) == (int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
peer, before = (me + 1) % n, (me - 1) % n


def of(rank, shape=(2, 3), dtype=np.float32):
    return np.random.default_rng(rank).integers(1, 7, shape).astype(dtype)


def mine(shape=(2, 3), dtype=np.float32):
    return genesis.from_numpy(of(me, shape, dtype))


def same(tensor, expected):
    np.testing.assert_allclose(tensor.detach().numpy(), expected, rtol=1e-6)


everybody = [of(r) for r in range(n)]
for op, expected in {
    ReduceOp.SUM: sum(everybody),
    ReduceOp.AVG: sum(everybody) / n,
    ReduceOp.PRODUCT: np.prod(everybody, 0),
    ReduceOp.MIN: np.min(everybody, 0),
    ReduceOp.MAX: np.max(everybody, 0),
}.items():
    x = mine()
    assert dist.all_reduce(x, op=op) is None
    same(x, expected)
    x = mine()
    work = dist.all_reduce(x, op=op, async_op=True)
    assert work.wait() and work.is_completed() and work.is_success() and work.result()[0] is x
    same(x, expected)
    x = mine()
    dist.reduce(x, n - 1, op=op)
    same(x, expected if me == n - 1 else of(me))
    rows = mine((n * 2, 3))
    out = genesis.empty(2, 3)
    dist.reduce_scatter_tensor(out, rows, op=op)
    wide = [of(r, (n * 2, 3)) for r in range(n)]
    whole = {
        "SUM": sum(wide),
        "AVG": sum(wide) / n,
        "PRODUCT": np.prod(wide, 0),
        "MIN": np.min(wide, 0),
        "MAX": np.max(wide, 0),
    }
    same(out, whole[op.name][2 * me : 2 * me + 2])
    out = genesis.empty(2, 3)
    dist.reduce_scatter(out, list(rows.chunk(n)), op=op)
    same(out, whole[op.name][2 * me : 2 * me + 2])

for dtype in (np.uint8, np.int8, np.int16, np.int32, np.int64, np.float64):
    x = mine(dtype=dtype)
    dist.all_reduce(x)
    same(x, sum(of(r, dtype=dtype) for r in range(n)))
    dist.broadcast(x := mine(dtype=dtype), 1)
    same(x, of(1, dtype=dtype))
for op, function in (
    (ReduceOp.BAND, np.bitwise_and),
    (ReduceOp.BOR, np.bitwise_or),
    (ReduceOp.BXOR, np.bitwise_xor),
):
    x = mine(dtype=np.int32)
    dist.all_reduce(x, op)
    same(x, function.reduce([of(r, dtype=np.int32) for r in range(n)]))
flags = genesis.tensor([True, me == 0, False])
dist.all_reduce(flags, ReduceOp.SUM)
assert flags.tolist() == [True, True, False]

# tensors that are not contiguous, of no dimension, without elements, leaves with a gradient
x = mine().t()
dist.all_reduce(x)
same(x, sum(everybody).T)
x = genesis.tensor(float(me))
dist.all_reduce(x)
assert x.item() == sum(range(n))
dist.all_reduce(genesis.empty(0))
leaf = genesis.nn.Parameter(mine())
dist.broadcast(leaf, src=0)
same(leaf, of(0))
saved = genesis.ones(3, requires_grad=True) * 1
product = saved * saved
dist.all_reduce(saved)  # changes what the graph has kept, which backward has to say
try:
    product.sum().backward()
except RuntimeError as error:
    assert "in-place" in str(error) or "modified" in str(error), error
else:
    raise AssertionError("backward used a changed value")

# gathering and scattering
out = [genesis.empty(2, 3) for _ in range(n)]
dist.all_gather(out, mine())
for r in range(n):
    same(out[r], of(r))
out = [genesis.empty(r + 1) for r in range(n)]  # of different lengths
dist.all_gather(out, mine((me + 1,)))
for r in range(n):
    same(out[r], of(r, (r + 1,)))
out = genesis.empty(2 * n, 3)
dist.all_gather_into_tensor(out, mine())
same(out, np.concatenate(everybody))
out = genesis.empty(n, 2, 3)
assert dist.all_gather_into_tensor(out, mine(), async_op=True).wait()
same(out, np.stack(everybody))
out = [genesis.empty(2, 3) for _ in range(n)] if me == 1 else None
dist.gather(mine(), out, dst=1)
if me == 1:
    for r in range(n):
        same(out[r], of(r))
x = genesis.empty(2, 3)
dist.scatter(x, [genesis.from_numpy(of(r)) for r in range(n)] if me == 0 else None)
same(x, of(me))
out = genesis.empty(2 * n)
dist.all_to_all_single(out, mine((2 * n,)))
same(out, np.concatenate([of(r, (2 * n,))[2 * me : 2 * me + 2] for r in range(n)]))
sent = [me + r for r in range(n)]
received = [r + me for r in range(n)]
out = genesis.empty(sum(received), 2)
dist.all_to_all_single(out, mine((sum(sent), 2)), received, sent)
parts = [of(r, (sum(r + s for s in range(n)), 2)) for r in range(n)]
same(out, np.concatenate([p[sum(r + s for s in range(me)) :][: r + me] for r, p in enumerate(parts)]))
out = [genesis.empty(2) for _ in range(n)]
dist.all_to_all(out, [genesis.full((2,), 10.0 * me + r) for r in range(n)])
assert [t[0].item() for t in out] == [10 * r + me for r in range(n)]
several = [mine(), mine((4,))]
dist.all_reduce_coalesced(several)
same(several[1], sum(of(r, (4,)) for r in range(n)))
dist.barrier()
dist.monitored_barrier()

# messages
x, y = mine(), genesis.empty(2, 3)
for work in dist.batch_isend_irecv([dist.P2POp(dist.irecv, y, before), dist.P2POp(dist.isend, x, peer)]):
    work.wait()
same(y, of(before))
if me == 0:
    dist.send(mine(), 1, tag=3)
    dist.send(mine((5,)), 1, tag=4)
elif me == 1:
    z = genesis.empty(5)
    later = dist.irecv(z, 0, tag=4)  # asked for before the one that was sent before
    assert dist.recv(y, tag=3) == 0
    later.wait()
    same(z, of(0, (5,)))
    same(y, of(0))

# objects
objects = [None] * n
dist.all_gather_object(objects, {"rank": me, "more": "x" * me * 100})
assert [o["rank"] for o in objects] == list(range(n))
words = ["a", {"b": 1}] if me == 1 else [None, None]
dist.broadcast_object_list(words, src=1)
assert words == ["a", {"b": 1}]
objects = [None] * n if me == 0 else None
dist.gather_object((me,), objects)
assert me or objects == [(r,) for r in range(n)]
one = [None]
dist.scatter_object_list(one, [f"for {r}" for r in range(n)] if me == 0 else None)
assert one == [f"for {me}"]
if me == 0:
    dist.send_object_list([1, "two"], 1)
elif me == 1:
    words = [None, None]
    assert dist.recv_object_list(words, 0) == 0
    assert words == [1, "two"]

# groups
last = dist.new_group([n - 1, 0] if n > 1 else [0])
if me in (0, n - 1):
    x = genesis.ones(1)
    dist.all_reduce(x, group=last)
    assert x.item() == dist.get_world_size(last) == 2
    assert dist.get_process_group_ranks(last) == [0, n - 1]
    assert dist.get_global_rank(last, 1) == n - 1
    assert dist.get_group_rank(last, n - 1) == 1
    x = mine()
    dist.broadcast(x, src=n - 1, group=last)
    same(x, of(n - 1))
    dist.destroy_process_group(last)
else:
    assert last == dist.GroupMember.NON_GROUP_MEMBER
    assert dist.get_rank(last) == dist.get_world_size(last) == -1
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        dist.all_reduce(genesis.ones(1), group=last)
    assert "does not contain it" in str(said[0].message)
own, groups = dist.new_subgroups(1)
assert dist.get_world_size(own) == 1 and len(groups) == n

# one operation in place of another is told, and the group goes on
for wrong in (
    lambda: dist.all_reduce(genesis.ones(2 + me)),
    lambda: dist.barrier() if me else dist.all_gather_object([None] * n, 1),
):
    try:
        wrong()
    except dist.DistributedError as error:
        assert "rank 0: " in str(error) and "rank" in str(error).splitlines()[-1], error
    else:
        raise AssertionError("nobody said anything")
dist.barrier()
dist.destroy_process_group()
assert not dist.is_initialized()
print(f"rank {me} is done", flush=True)
