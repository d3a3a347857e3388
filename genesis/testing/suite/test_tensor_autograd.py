"""The graph: what is recorded, where gradients go, and what goes wrong."""

from __future__ import annotations

import threading
import weakref

import pytest

import genesis
from genesis import autograd


def leaf(*values):
    return genesis.tensor(values, dtype=genesis.float32, requires_grad=True)


# -- what is recorded --------------------------------------------------------------------------------------
def test_leaves_and_results(device):
    x = leaf(1.0, 2.0)
    y = x * 2
    assert x.is_leaf
    assert x.requires_grad
    assert x.grad_fn is None
    assert x.grad is None
    assert not y.is_leaf
    assert y.requires_grad
    assert y.grad_fn is not None
    plain = genesis.ones(2)
    assert plain.is_leaf
    assert not (plain * 2).requires_grad
    assert not (y > 1).requires_grad
    assert not y.long().requires_grad
    assert not y.argmax().requires_grad
    detached = y.detach()
    assert detached.is_leaf
    assert not detached.requires_grad


def test_requires_grad_can_be_switched_on_leaves_only(device):
    x = genesis.ones(2)
    assert x.requires_grad_() is x
    y = x * 2
    x.requires_grad = False
    assert not (x * 2).requires_grad
    with pytest.raises(RuntimeError, match="leaf"):
        y.requires_grad = False
    y.requires_grad_(True)
    assert y.detach_() is y
    assert y.is_leaf
    with pytest.raises(RuntimeError, match="floating-point"):
        genesis.tensor([1]).requires_grad_()


def test_a_view_cannot_leave_the_graph_in_place(device):
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match="views"):
        y[0].detach_()


# -- modes -------------------------------------------------------------------------------------------------
def test_modes_nest(device):
    x = leaf(1.0)
    with genesis.no_grad():
        assert not (x * 2).requires_grad
        with genesis.enable_grad():
            assert (x * 2).requires_grad
            with genesis.no_grad():
                assert not genesis.is_grad_enabled()
        assert not (x * 2).requires_grad
        with genesis.set_grad_enabled(True):
            assert (x * 2).requires_grad
        assert not genesis.is_grad_enabled()
    assert (x * 2).requires_grad
    with genesis.inference_mode():
        assert not (x * 2).requires_grad
    with genesis.inference_mode(False):
        assert (x * 2).requires_grad


def test_a_mode_ends_with_an_error(device):
    def fail():
        with genesis.no_grad():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert genesis.is_grad_enabled()


def test_modes_as_decorators(device):
    x = leaf(1.0)

    @genesis.no_grad()
    def quiet():
        return (x * 2).requires_grad, loud()

    @genesis.enable_grad()
    def loud():
        return (x * 2).requires_grad

    @genesis.no_grad
    def bare():
        return (x * 2).requires_grad

    @genesis.set_grad_enabled(False)
    def switched():
        return (x * 2).requires_grad

    assert genesis.is_grad_enabled()
    assert quiet() == (False, True)
    assert bare() is False
    assert switched() is False
    assert genesis.is_grad_enabled()

    @genesis.no_grad()
    def numbers():
        got = yield (x * 2).requires_grad
        try:
            yield got, genesis.is_grad_enabled()
        except KeyError:
            yield genesis.is_grad_enabled()
        return "end"

    steps = numbers()
    assert next(steps) is False
    assert genesis.is_grad_enabled()  # only the steps are in the mode
    assert steps.send(7) == (7, False)
    assert steps.throw(KeyError()) is False
    with pytest.raises(StopIteration, match="end"):
        next(steps)

    with pytest.warns(FutureWarning, match="constructor"):

        @genesis.no_grad()
        class Made:
            def __init__(self):
                self.recorded = genesis.is_grad_enabled()

    assert Made().recorded is False


def test_set_grad_enabled_as_a_function(device):
    try:
        genesis.set_grad_enabled(False)
        assert not genesis.is_grad_enabled()
    finally:
        genesis.set_grad_enabled(True)
    assert genesis.is_grad_enabled()


def test_each_thread_has_its_own_mode(device):
    seen = []
    with genesis.no_grad():
        thread = threading.Thread(target=lambda: seen.append(genesis.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not genesis.is_grad_enabled()
    assert seen == [True]


def test_threads_run_their_own_backward(device):
    results = {}

    def work(i):
        x = leaf(float(i), 2.0)
        for _ in range(20):
            x.grad = None
            (x * x * i).sum().backward()
        results[i] = x.grad.tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {i: [2.0 * i * i, 4.0 * i] for i in range(1, 5)}


# -- where gradients go ------------------------------------------------------------------------------------
def test_gradients_accumulate_into_grad(device):
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    first = x.grad
    (x * 4).sum().backward()
    assert x.grad is first
    assert x.grad.tolist() == [7, 7]


def test_a_tensor_used_several_times(device):
    x = leaf(2.0)
    y = x * x
    z = y * x + y + x
    z.backward()
    assert x.grad.tolist() == [3 * 4 + 4 + 1]


def test_two_leaves_never_share_a_gradient(device):
    for create_graph in (False, True):
        a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
        seed = genesis.ones(2)
        (a + b).backward(seed, create_graph=create_graph)
        with genesis.no_grad():
            a.grad.add_(5)
        assert a.grad.tolist() == [6, 6]
        assert b.grad.tolist() == [1, 1]
        assert seed.tolist() == [1, 1]


def test_the_gradient_of_a_sum_is_memory_of_its_own(device):
    x = genesis.ones(2, 3, requires_grad=True)
    x.sum().backward()
    assert x.grad.is_contiguous()
    x.grad[0, 0] = 9
    assert x.grad.tolist() == [[9, 1, 1], [1, 1, 1]]


def test_a_gradient_kept_by_a_hook_stays_as_it_was(device):
    kept = []
    x = leaf(1.0, 2.0)
    x.register_hook(kept.append)
    (x * genesis.tensor([3.0, 4.0])).sum().backward()
    (x * 2).sum().backward()
    assert [g.tolist() for g in kept] == [[3, 4], [2, 2]]
    assert x.grad.tolist() == [5, 6]


def test_broadcast_gradients_are_summed(device):
    x, row, number = genesis.ones(2, 3, requires_grad=True), leaf(1.0, 2.0, 3.0), leaf(4.0)
    (x * row * number).sum().backward()
    assert x.grad.tolist() == [[4, 8, 12]] * 2
    assert row.grad.tolist() == [8, 8, 8]
    assert number.grad.tolist() == [12]


def test_gradients_have_the_type_of_their_leaf(device):
    x = genesis.ones(2, requires_grad=True)
    y = genesis.ones(2, dtype=genesis.float64, requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype is genesis.float32
    assert y.grad.dtype is genesis.float64


def test_backward_into_chosen_leaves(device):
    a, b = leaf(1.0), leaf(2.0)
    (a * b).backward(inputs=[a])
    assert a.grad.tolist() == [2]
    assert b.grad is None
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (a * b).backward(inputs=[])


def test_backward_from_several_tensors(device):
    x = leaf(1.0, 2.0)
    y = x * x
    autograd.backward([y.sum(), y], [None, genesis.tensor([10.0, 100.0])])
    assert x.grad.tolist() == [2 * 11, 4 * 101]


def test_a_leaf_is_its_own_result(device):
    x = leaf(3.0)
    x.backward()
    x.backward()
    assert x.grad.tolist() == [2]


def test_a_very_deep_graph(device):
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1]
    del y  # neither walking nor freeing recurses


# -- autograd.grad -----------------------------------------------------------------------------------------
def test_grad_leaves_grad_alone(device):
    x = leaf(3.0)
    y = x * x
    z = y * 2
    gx, gy = autograd.grad(z, [x, y])
    assert gx.tolist() == [12]
    assert gy.tolist() == [2]
    assert x.grad is None


def test_grad_of_a_single_tensor(device):
    x = leaf(3.0)
    (g,) = autograd.grad(x * x, x)
    assert g.tolist() == [6]


def test_unused_inputs(device):
    x, other = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match="not used in the graph"):
        autograd.grad(x * 2, [x, other])
    g, none = autograd.grad(x * 2, [x, other], allow_unused=True)
    assert g.tolist() == [2]
    assert none is None
    with pytest.raises(RuntimeError, match="does not require grad"):
        autograd.grad(x * 2, genesis.ones(1))


def test_grad_computes_only_what_is_asked(device):
    x, w = leaf(2.0), leaf(3.0)
    hidden = x * w
    calls = []
    w.register_hook(lambda g: calls.append(g))
    (g,) = autograd.grad(hidden * hidden, hidden)
    assert g.tolist() == [12]
    assert calls == []


def test_a_weighted_gradient(device):
    x = leaf(1.0, 2.0)
    (g,) = autograd.grad(x * x, x, genesis.tensor([1.0, 10.0]))
    assert g.tolist() == [2, 40]


# -- higher derivatives ------------------------------------------------------------------------------------
def test_derivatives_of_a_power(device):
    x = leaf(2.0)
    y = x**4
    found = []
    for _ in range(4):
        (y,) = autograd.grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [32, 48, 48, 24]


def test_a_gradient_penalty(device):
    x = leaf(1.0, 2.0)
    w = leaf(3.0, 4.0)
    (g,) = autograd.grad((w * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()  # (2 w x)^2
    assert w.grad.tolist() == [2 * 4 * 3, 2 * 4 * 4 * 4]
    assert x.grad.tolist() == [2 * 4 * 9, 2 * 4 * 16 * 2]


def test_backward_with_create_graph(device):
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    assert x.grad.requires_grad
    g = x.grad
    x.grad = None
    g.backward()
    assert x.grad.tolist() == [12]


# -- a second pass -----------------------------------------------------------------------------------------
def test_a_second_pass_needs_retain_graph(device):
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_a_second_pass_through_a_part(device):
    x = leaf(2.0)
    shared = x.exp()
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="second time"):
        (shared * 3).backward()


def test_saved_tensors_are_freed(device):
    x = leaf(1.0, 2.0)
    y = x.exp()  # saves its result
    memory = weakref.ref(y.grad_fn.saved[-1])
    total = y.sum()
    del y
    assert memory() is not None
    total.backward()
    assert memory() is None


# -- hooks -------------------------------------------------------------------------------------------------
def test_hooks_see_and_replace_gradients(device):
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    first = y.register_hook(lambda g: seen.append(g.tolist()))
    second = y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert seen == [[1, 1]]
    assert x.grad.tolist() == [31, 31]
    first.remove()
    first.remove()  # twice is no error
    with second:
        pass
    x.grad = None
    (y * 1).sum().backward()
    assert seen == [[1, 1]]
    assert x.grad.tolist() == [4, 4]


def test_a_hook_sees_the_whole_gradient_once(device):
    x = leaf(2.0)
    y = x * 1
    calls = []
    y.register_hook(lambda g: calls.append(g.tolist()))
    (y * 2 + y * 3 + y.exp() * 0).backward()
    assert calls == [[5]]


def test_hooks_need_a_gradient(device):
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        genesis.ones(2).register_hook(print)
    with pytest.raises(RuntimeError, match="non-leaf"):
        (leaf(1.0) * 2).register_post_accumulate_grad_hook(print)


def test_hooks_after_accumulation(device):
    x = leaf(2.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
    (x * 3).backward()
    (x * 3).backward()
    handle.remove()
    (x * 3).backward()
    assert seen == [3, 6]


def test_a_hook_that_changes_the_shape_is_found(device):
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match=r"shape \(1,\) reached a leaf of shape \(2,\)"):
        (x * 2).sum().backward()


def test_retain_grad(device):
    x = leaf(1.0, 2.0)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    z = y * y
    z.sum().backward()
    assert y.grad.tolist() == [6, 12]
    assert z.grad is None
    x.retain_grad()  # a leaf keeps its gradient anyway
    with pytest.raises(RuntimeError, match="retain_grad"):
        genesis.ones(1).retain_grad()


# -- operations of one's own -------------------------------------------------------------------------------
def test_a_new_operation_with_a_gradient(device):
    from genesis.ops import op

    calls = []

    @op(saves=("x", "scale"))
    def _scaled(x, scale, *, power=1):
        return x * scale**power

    @_scaled.backward_rule
    def _scaled_backward(needs, grad, x, scale, *, power=1):
        calls.append(needs)
        return (
            grad * scale**power if needs[0] else None,
            grad * x * power * scale ** (power - 1) if needs[1] else None,
        )

    x, scale = leaf(1.0, 2.0), leaf(3.0, 3.0)
    _scaled(x, scale, power=2).sum().backward()
    assert x.grad.tolist() == [9, 9]
    assert scale.grad.tolist() == [6, 12]
    _scaled(scale=genesis.ones(2), x=x).sum().backward()  # by name
    assert x.grad.tolist() == [10, 10]
    assert calls == [(True, True), (True, False)]
    with pytest.raises(TypeError, match="missing a required argument: 'scale'"):
        _scaled(x)
    del genesis.ops.OVERRIDABLE["scaled"]


@pytest.mark.parametrize("product", ["matmul", "linear"])
def test_a_factor_that_no_gradient_reads_may_change(device, product):
    w, x = genesis.ones(2, 2, requires_grad=True), genesis.ones(2, 2)
    loss = (x @ w if product == "matmul" else genesis.ops.linear(x, w)).sum()
    with genesis.no_grad():
        w.add_(1)  # only the gradient of x would read w
    loss.backward()
    assert w.grad.tolist() == [[2.0, 2.0], [2.0, 2.0]]


@pytest.mark.parametrize("product", ["matmul", "linear"])
def test_a_factor_that_a_gradient_reads_may_not_change(device, product):
    w, x = genesis.ones(2, 2, requires_grad=True), genesis.ones(2, 2)
    loss = (x @ w if product == "matmul" else genesis.ops.linear(x, w)).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()


def test_a_gradient_fits_its_tensor(device):
    x = genesis.ones(2, 3, requires_grad=True)
    x.grad = genesis.ones(2, 3)
    for wrong in (genesis.ones(7), genesis.ones(2, 3, dtype=genesis.float64)):
        with pytest.raises(RuntimeError, match=r"\(2, 3\) genesis.float32"):
            x.grad = wrong
    with pytest.raises(TypeError, match="list"):
        x.grad = [1.0]
    assert x.grad.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("used", [(0,), (1, 2), (0, 1, 2), (2, 2)])
@pytest.mark.parametrize("pieces", ["split", "unbind"])
def test_pieces_that_are_not_used_get_zeros(device, pieces, used):
    x = genesis.arange(12.0).reshape(3, 4).requires_grad_()
    parts = x.split(1) if pieces == "split" else x.unbind()
    sum((parts[i] ** 2).sum() for i in used).backward()
    want = [[2.0 * x[i, j].item() * used.count(i) for j in range(4)] for i in range(3)]
    assert x.grad.tolist() == want
    # one piece was overwritten: its old value has no part in what follows
    y = x * 1
    first = y.chunk(3)[0]
    first.zero_()
    x.grad = None
    (y * y).sum().backward()
    assert x.grad.tolist() == [[0.0] * 4] + [[2.0 * v for v in row] for row in x.tolist()[1:]]
