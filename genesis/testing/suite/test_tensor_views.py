"""Views share memory with their base; in-place writes keep gradients right through any chain of views."""

from __future__ import annotations

import numpy as np
import pytest

import genesis

VIEWS = {
    "slice": lambda x: x[1:3],
    "step": lambda x: x[::2],
    "row": lambda x: x[1],
    "element": lambda x: x[1, 2],
    "column": lambda x: x[:, 1],
    "transpose": lambda x: x.t(),
    "permute": lambda x: x.permute(1, 0),
    "reshape": lambda x: x.reshape(3, 4),
    "view": lambda x: x.view(-1),
    "flatten": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(0, (2, 2)),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "squeeze": lambda x: x[:, :1].squeeze(1),
    "narrow": lambda x: x.narrow(1, 1, 2),
    "select": lambda x: x.select(1, 0),
    "split": lambda x: x.split(2)[1],
    "chunk": lambda x: x.chunk(2, 1)[0],
    "unbind": lambda x: x.unbind(1)[2],
    "detach": lambda x: x.detach(),
    "data": lambda x: x.data,
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "movedim": lambda x: x.movedim(0, 1),
    "chain": lambda x: x[1:].t()[1:, ::2].unsqueeze(0),
    "reshape of a slice": lambda x: x[1:].reshape(9),
    "None": lambda x: x[None, ..., 0],
}
COPIES = {
    "clone": lambda x: x.clone(),
    "contiguous of strided": lambda x: x.t().contiguous(),
    "reshape of strided": lambda x: x.t().reshape(-1),
    "flip": lambda x: x.flip(0),
    "repeat": lambda x: x.repeat(1, 1),
    "index": lambda x: x[[0, 1, 2, 3]],
    "cat": lambda x: genesis.cat([x]),
    "to another type": lambda x: x.to(genesis.float64),
    "tensor": lambda x: genesis.tensor(x),
    "copy": lambda x: x.to(x.dtype, copy=True),
}
SAME = {
    "contiguous": lambda x: x.contiguous(),
    "same type": lambda x: x.to(genesis.float32),
    "same device": lambda x: x.to(x.device),
    "float": lambda x: x.float(),
}


def matrix():
    return genesis.arange(12.0).reshape(4, 3).clone()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_and_makes_writes(device, name):
    x = matrix()
    v = VIEWS[name](x)
    assert v.tolist() == VIEWS[name](x.clone()).tolist()
    v.mul_(10)
    changed = VIEWS[name](matrix()) * 10
    assert v.tolist() == changed.tolist() == VIEWS[name](x).tolist()
    x.fill_(5)
    assert (v == 5).all()


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_does_not(device, name):
    x = matrix()
    c = COPIES[name](x)
    before = c.tolist()
    x.fill_(5)
    assert c.tolist() == before
    c.zero_()
    assert (x == 5).all()


@pytest.mark.parametrize("name", SAME)
def test_nothing_to_do_gives_the_tensor_itself(device, name):
    x = matrix()
    assert SAME[name](x) is x


def test_an_expanded_tensor_shares_memory_but_cannot_be_written(device):
    x = genesis.ones(3, 1)
    wide = x.expand(3, 4)
    x[1] = 7
    assert wide[1].tolist() == [7, 7, 7, 7]
    with pytest.raises(RuntimeError, match=r"shape \(3, 4\) that repeats its elements"):
        wide.add_(1)
    with pytest.raises(RuntimeError, match="repeats its elements"):
        wide.zero_()
    with pytest.raises(RuntimeError, match="repeats its elements"):
        wide[0] = 1
    assert (wide + 1).shape == (3, 4)


def test_strides_and_offsets(device):
    x = matrix()
    assert x.stride() == (3, 1)
    assert x.t().stride() == (1, 3)
    assert x[1:, 1:].storage_offset() == 4
    assert x.is_contiguous()
    assert not x.t().is_contiguous()
    assert x[1:].is_contiguous()
    assert x.expand(2, 4, 3).stride() == (0, 3, 1)


def test_a_view_of_no_elements(device):
    x = matrix()
    for empty in (x[4:], x[4:, 3:], x[:, 3:].t(), x[2:2].reshape(0, 3)):
        assert empty.numel() == 0
        assert (empty + 1).tolist() == empty.tolist()
        empty.add_(1)
    assert x.tolist() == matrix().tolist()


@pytest.mark.parametrize("shift", [1, -1])
def test_reading_and_writing_overlapping_parts(device, shift):
    array = np.arange(8.0)
    x = genesis.tensor(array)
    source, target = (slice(None, -1), slice(1, None)) if shift > 0 else (slice(1, None), slice(None, -1))
    x[target] += x[source]
    array[target] = array[target] + array[source]
    assert x.tolist() == array.tolist()
    y = genesis.arange(9.0).reshape(3, 3)
    y.copy_(y.t())
    assert y.tolist() == np.arange(9.0).reshape(3, 3).T.tolist()


# -- gradients ---------------------------------------------------------------------------------------------
DIFFERENTIABLE = [n for n in VIEWS if n not in ("detach", "data")]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_writing_into_a_view_of_a_result(device, name):
    x = matrix().requires_grad_()
    w = VIEWS[name](matrix() + 1).clone().requires_grad_()
    y = x * 2
    v = VIEWS[name](y)
    v.mul_(w)
    y.pow(2).sum().backward()

    # the same without writing anything: factors are w in the part and 1 elsewhere
    factors = genesis.ones(4, 3)
    VIEWS[name](factors).copy_(w.detach())
    expected = 8 * matrix() * factors * factors
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), rtol=1e-6)  # products in another order
    part = VIEWS[name](2 * matrix())
    np.testing.assert_allclose(w.grad.numpy(), (2 * part * part * w.detach()).numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_view_follows_writes_into_its_base(device, name):
    x = matrix().requires_grad_()
    y = x * 1
    v = VIEWS[name](y)
    y.mul_(3)
    v.sum().backward()
    expected = genesis.zeros(4, 3)
    VIEWS[name](expected).fill_(3)
    assert x.grad.tolist() == expected.tolist()


def test_a_chain_of_views_and_writes(device):
    x = matrix().requires_grad_()
    y = x * 1
    rows = y[1:]
    corner = rows[:2, 1:]
    corner.mul_(2)
    rows.add_(1)
    y[2] *= 10
    corner[0].sub_(7).neg_()
    y.sum().backward()

    z = matrix().requires_grad_()
    parts = [
        z[0],
        genesis.cat([z[1, :1] + 1, 7 - (z[1, 1:] * 2 + 1)]),
        10 * genesis.cat([z[2, :1] + 1, z[2, 1:] * 2 + 1]),
        z[3] + 1,
    ]
    assert y.tolist() == genesis.stack(parts).tolist()
    genesis.stack(parts).sum().backward()
    assert x.grad.tolist() == z.grad.tolist()


def test_a_write_into_a_base_without_history(device):
    w = genesis.ones(2, requires_grad=True)
    y = genesis.zeros(2, 2)
    y[0] = w * 3
    assert y.requires_grad
    y[1].add_(w)
    assert not y.is_leaf
    (y * genesis.tensor([[1.0, 10.0], [100.0, 1000.0]])).sum().backward()
    assert w.grad.tolist() == [103, 1030]


def test_overwritten_values_get_no_gradient(device):
    x = genesis.ones(4, requires_grad=True)
    y = x * 2
    y[:2].fill_(0)
    y[2] = genesis.tensor(5.0)
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 2]

    for write in (
        lambda t: t.fill_(1),
        lambda t: t.zero_(),
        lambda t: t.copy_(genesis.ones(4)),
        lambda t: t.uniform_(),
        lambda t: t.normal_(),
    ):
        z = x * 2
        write(z)
        total = (z * x.detach()).sum()
        x.grad = None
        total.backward()
        assert x.grad is None or not x.grad.any()


def test_an_overlapping_operand_keeps_its_old_value_for_the_gradient(device):
    x = genesis.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    y.mul_(y[0])  # y[0] itself is written
    assert y.tolist() == [1, 2, 3]
    y.mul_(y[1:2] + 0)
    y.sum().backward()
    # y = x * x0 * (x1 x0), so the sum is x0^2 x1 (x0 + x1 + x2)
    assert x.grad.tolist() == pytest.approx([2 * 2 * 6 + 2, 6 + 2, 2])


def test_squaring_in_place(device):
    x = genesis.tensor([3.0], requires_grad=True)
    y = x * 1
    y.mul_(y)
    y.mul_(y)
    y.backward()
    assert x.grad.tolist() == [4 * 27.0]


def test_a_view_taken_under_no_grad_is_part_of_the_history_once_it_is_written(device):
    x = genesis.ones(2, requires_grad=True)
    y = x * 2
    with genesis.no_grad():
        v = y[0]
    v.mul_(5)
    y.sum().backward()
    assert x.grad.tolist() == [10, 2]


def test_writes_under_no_grad_leave_the_history(device):
    x = genesis.ones(2, requires_grad=True)
    y = x * 2
    with genesis.no_grad():
        y.mul_(5)
        x.add_(1)  # a leaf may be written here
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
    assert y.tolist() == [10, 10]
    assert x.tolist() == [2, 2]
    assert x.is_leaf


def test_a_saved_value_that_changed_is_an_error(device):
    x = genesis.ones(2, requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation.*version 1; expected version 0"
    ):
        y.sum().backward()

    w = genesis.ones(2)
    z = x * w
    w[0] = 3  # through a view of it
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()

    shared = x.detach()
    z = x * x
    shared.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        z.sum().backward()

    y = x * 3  # saves nothing that is written
    y.add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_leaves_cannot_be_written(device):
    x = genesis.ones(2, requires_grad=True)
    for write in (
        lambda: x.add_(1),
        lambda: x.zero_(),
        lambda: x.copy_(genesis.zeros(2)),
        lambda: x.uniform_(),
        lambda: x.scatter_(0, genesis.tensor([0]), 1.0),
        lambda: x.__setitem__(0, 1.0),
        lambda: x.__setitem__(genesis.tensor([0]), 1.0),
    ):
        with pytest.raises(RuntimeError, match="leaf tensor that requires grad is being used in an in-place"):
            write()
    assert x.tolist() == [1, 1]


def test_gradients_of_strided_results_reach_reshaped_views(device):
    x = matrix().requires_grad_()
    y = x * 1
    y.view(12)[::2].mul_(3)
    (y.t() * matrix().t()).sum().backward()  # the gradient arrives transposed
    expected = matrix().numpy().copy()
    expected.reshape(12)[::2] *= 3
    assert x.grad.tolist() == expected.tolist()


def test_in_place_scatter_has_gradients(device):
    x = genesis.zeros(3, requires_grad=True)
    s = genesis.tensor([2.0, 3.0], requires_grad=True)
    y = x * 1
    y.scatter_add_(0, genesis.tensor([1, 1]), s)
    y[1:].scatter_(0, genesis.tensor([1]), s[:1] * 4)
    assert y.tolist() == [0, 5, 8]
    (y * genesis.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [1, 10, 0]
    assert s.grad.tolist() == [410, 10]
