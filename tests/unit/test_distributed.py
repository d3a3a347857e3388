"""The group of one process: scripts for several run alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import genesis
import genesis.distributed as dist
from genesis import nn
from genesis.data import DistributedSampler
from genesis.nn.parallel import DistributedDataParallel as DDP


@pytest.fixture
def group() -> Iterator[None]:
    dist.init_process_group("gloo", init_method="env://")
    yield
    dist.destroy_process_group()


def test_without_a_group_nobody_has_a_rank() -> None:
    assert not dist.is_initialized()
    for ask in (dist.get_rank, dist.get_world_size, dist.barrier, dist.destroy_process_group):
        with pytest.raises(ValueError, match="call init_process_group"):
            ask()
    with pytest.raises(ValueError, match="call init_process_group"):
        DDP(nn.Linear(2, 2))
    with pytest.raises(RuntimeError, match="give num_replicas and rank"):
        DistributedSampler(range(3))


def test_one_process_is_the_first_of_one(group: None) -> None:
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "gloo")
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group("gloo")
    assert len(DistributedSampler(range(5))) == 5


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="mpiexec -n 2 python -m mpi4py"):
        dist.init_process_group("gloo", rank=0, world_size=2)
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RuntimeError, match="world_size is 4"):
        dist.init_process_group("nccl")
    assert not dist.is_initialized()


def test_collective_operations_give_what_one_process_has(group: None) -> None:
    x = genesis.arange(3.0)
    assert dist.all_reduce(x, op=dist.ReduceOp.SUM) is None
    assert dist.broadcast(x, src=0, async_op=True).wait()
    dist.barrier()
    out, row = [genesis.zeros(3)], genesis.zeros(1, 3)
    dist.all_gather(out, x)
    dist.all_gather_into_tensor(row, x)
    objects = [None]
    dist.all_gather_object(objects, {"a": 1})
    assert x.tolist() == out[0].tolist() == row[0].tolist() == [0, 1, 2]
    assert objects == [{"a": 1}]


def test_a_wrapped_model_trains_and_names_its_parameters_by_module(group: None) -> None:
    model = DDP(nn.Linear(3, 2), device_ids=None, find_unused_parameters=True)
    with model.no_sync():
        model(genesis.ones(1, 3)).sum().backward()
    assert model.module.weight.grad is not None
    assert list(model.state_dict()) == ["module.weight", "module.bias"]
    with pytest.raises(NotImplementedError, match="several devices"):
        DDP(nn.Linear(2, 2), device_ids=[0, 1])
    with pytest.raises(RuntimeError, match="is not needed"):
        DDP(nn.ReLU())
