"""What ``genesis.distributed`` makes of a communicator: tensors of any layout, handles, errors, training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def joined(s: Any) -> Any:
    """``genesis.distributed`` with this communicator; its own questions go on with the one that is open."""
    import genesis.distributed as dist

    dist.init_process_group(s.name, world_size=s.size, rank=s.rank)
    try:
        yield dist
    finally:
        dist.destroy_process_group()


def _tensor(s: Any, values: Any) -> Any:
    import genesis

    made = genesis.from_numpy(np.array(values, order="C"))
    return made if s.place is None else made.to(s.place)


def _of(rank: int, *shape: int) -> Any:
    return np.random.default_rng(rank).integers(1, 7, shape).astype(np.float32)


def _same(tensor: Any, expected: Any, what: str) -> None:
    got = tensor.detach().cpu().numpy()
    assert got.shape == np.shape(expected), f"{what}: the shape is {got.shape}"
    assert np.allclose(got, expected, rtol=1e-5), f"{what}: got {got}, expected {expected}"


def layouts(s: Any) -> None:
    with joined(s) as dist:
        total = sum(_of(r, 4, 3) for r in range(s.size))
        x = _tensor(s, _of(s.rank, 4, 3))
        dist.all_reduce(x.t())
        _same(x, total, "a transposed view")
        x = _tensor(s, _of(s.rank, 4, 3))
        dist.all_reduce(x[::2, 1:])
        expected = _of(s.rank, 4, 3)
        expected[::2, 1:] = total[::2, 1:]
        _same(x, expected, "a view with steps")
        x = _tensor(s, np.float32(s.rank))
        dist.all_reduce(x, dist.ReduceOp.MAX)
        _same(x, s.size - 1, "a tensor of no dimension")
        dist.all_reduce(_tensor(s, np.empty((0, 3), np.float32)))
        x = _tensor(s, _of(s.rank, 4))
        dist.all_reduce(x, dist.ReduceOp.AVG)
        _same(x, sum(_of(r, 4) for r in range(s.size)) / s.size, "a mean")
        out = [_tensor(s, np.zeros(r + 1, np.float32)) for r in range(s.size)]
        dist.all_gather(out, _tensor(s, _of(s.rank, s.rank + 1)))
        for r, each in enumerate(out):
            _same(each, _of(r, r + 1), f"the tensor of rank {r}, of its own length")


def handles(s: Any) -> None:
    with joined(s) as dist:
        tensors = [_tensor(s, _of(s.rank, 100 + i)) for i in range(8)]
        works = [dist.all_reduce(t, async_op=True) for t in tensors]
        for i, work in enumerate(works):
            assert work.wait() is True
            _same(tensors[i], sum(_of(r, 100 + i) for r in range(s.size)), f"reduction {i} under way")
            said = work.is_completed(), work.is_success(), work.exception()
            assert said == (True, True, None), f"is_completed, is_success and exception after wait: {said}"
        x = _tensor(s, _of(s.rank, 5, 2).T)
        got = _tensor(s, np.zeros((2, 5), np.float32))
        after, before = (s.rank + 1) % s.size, (s.rank - 1) % s.size
        pair = [dist.irecv(got, before, tag=1), dist.isend(x, after, tag=1)]
        for work in pair:
            work.wait()
        _same(got, _of(before, 5, 2).T, "a message under way")


def errors(s: Any) -> None:
    with joined(s) as dist:
        for what, wrong in (
            ("another shape", lambda: dist.all_reduce(_tensor(s, np.ones(2 + s.rank, np.float32)))),
            ("another operation", dist.barrier if s.rank else lambda: dist.all_reduce(_tensor(s, _of(0, 2)))),
        ):
            act: Callable[[], Any] = wrong
            said = ""
            try:
                act()
            except dist.DistributedError as error:
                said = str(error)
            assert "rank 0" in said, f"{what} in rank 0 raised {said or 'nothing'}"
        x = _tensor(s, _of(s.rank, 3))
        dist.all_reduce(x)
        _same(x, sum(_of(r, 3) for r in range(s.size)), "the next operation after an error")


def subgroups(s: Any) -> None:
    with joined(s) as dist:
        ends = dist.new_group([0, s.size - 1])
        if s.rank in (0, s.size - 1):
            x = _tensor(s, _of(s.rank, 3))
            dist.broadcast(x, src=s.size - 1, group=ends)
            _same(x, _of(s.size - 1, 3), "the tensor of the last process")
        x = _tensor(s, _of(s.rank, 3))
        dist.all_reduce(x)
        _same(x, sum(_of(r, 3) for r in range(s.size)), "the sum over all beside a group")


def training(s: Any) -> None:
    import genesis
    from genesis import nn

    with joined(s) as dist:
        genesis.manual_seed(s.rank)  # so that it matters who gives the parameters
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        model = model if s.place is None else model.to(s.place)
        ddp = nn.parallel.DistributedDataParallel(model, bucket_cap_mb=1e-5)
        optimizer = genesis.optim.SGD(ddp.parameters(), lr=0.1)
        x, y = _of(5, 2 * s.size, 3), _of(6, 2 * s.size, 1)
        mine = slice(2 * s.rank, 2 * s.rank + 2)
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.mse_loss(ddp(_tensor(s, x[mine])), _tensor(s, y[mine])).backward()
            optimizer.step()
        got = [p.detach().cpu().numpy() for p in model.parameters()]
        dist.barrier()
    genesis.manual_seed(0)
    alone = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = genesis.optim.SGD(alone.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.mse_loss(alone(genesis.from_numpy(x)), genesis.from_numpy(y)).backward()
        optimizer.step()
    for (name, p), each in zip(alone.named_parameters(), got, strict=True):
        error = np.abs(p.detach().numpy() - each).max()
        assert error < 1e-5, f"{name} after two steps differs by {error} from that of one process"


QUESTIONS: dict[str, Callable[[Any], None]] = {
    "distributed/layouts": layouts,
    "distributed/handles": handles,
    "distributed/errors": errors,
    "distributed/groups": subgroups,
    "distributed/training": training,
}
