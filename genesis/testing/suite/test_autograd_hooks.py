"""Hooks on tensors, nodes and what operations save; anomaly mode; inference mode."""

from __future__ import annotations

import warnings

import pytest

import genesis
from genesis import autograd
from genesis.autograd import graph


def leaf(*values):
    return genesis.tensor(values, dtype=genesis.float64, requires_grad=True)


# -- nodes -------------------------------------------------------------------------------------------------
def test_what_a_node_says(device):
    x = leaf(1.0, 2.0)
    y = x.exp()
    z = y * 2
    assert z.grad_fn.name() == "MulBackward0"
    assert isinstance(z.grad_fn, graph.Node)
    (first, number), nothing = z.grad_fn.next_functions
    assert first is y.grad_fn
    assert (number, nothing) == (0, (None, 0))
    (end, _), *_ = first.next_functions
    assert end.variable is x
    assert end.name() == "torch::autograd::AccumulateGrad"
    assert end.next_functions == ()
    assert end in {x.exp().grad_fn.next_functions[0][0]}  # the same for walkers of graphs
    z.grad_fn.metadata["note"] = 1
    assert z.grad_fn.metadata == {"note": 1}
    assert y.grad_fn(genesis.ones(2, dtype=genesis.float64)).tolist() == y.tolist()


def test_hooks_of_nodes(device):
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    first = y.grad_fn.register_prehook(lambda out: (out[0] * 2,))
    second = y.grad_fn.register_hook(lambda into, out: seen.append((into[0].tolist(), out[0].tolist())))
    y.sum().backward(retain_graph=True)
    assert seen == [([6, 6], [2, 2])]
    assert x.grad.tolist() == [6, 6]
    first.remove()
    second.remove()
    y.grad_fn.register_hook(lambda into, out: (into[0] * 10, None))
    x.grad = None
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [30, 30]
    y.grad_fn.register_hook(lambda into, out: into[0])
    with pytest.raises(RuntimeError, match="returned 1 gradients, expected 2"):
        y.sum().backward()


def test_hooks_where_gradients_end(device):
    x = leaf(1.0)
    end = (x * 1).grad_fn.next_functions[0][0]
    seen = []
    end.register_hook(lambda into, out: seen.append(out[0].item()))
    end.register_prehook(lambda out: (out[0] * 5,))
    (x * 2).backward()
    assert seen == [10]


def test_a_kept_gradient_is_what_the_hooks_made_of_it(device):
    x = leaf(1.0, 2.0)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    assert y.retains_grad
    y.sum().backward()
    assert y.grad.tolist() == [5, 5]
    y = x * 2
    y.retain_grad()
    before = []
    y.register_hook(lambda g: before.append(g.tolist()))
    y.mul_(3)  # the hook stays with the old value, the gradient to keep is that of the new one
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    assert before == [[3, 3]]


def test_a_hook_returns_a_tensor(device):
    x = leaf(1.0)
    x.register_hook(lambda g: 3)
    with pytest.raises(TypeError, match="returns a tensor or None, got int"):
        (x * 2).backward()


def test_hooks_on_views(device):
    x = leaf(1.0, 2.0)
    y = x * 1
    seen = []
    y[0].register_hook(lambda g: seen.append("unused"))
    part = y[1]
    part.register_hook(lambda g: seen.append(g.item()))
    (part * 3).backward()
    assert seen == [3]


def test_one_hook_for_several_tensors(device):
    x = leaf(1.0, 2.0)
    a, b = x * 2, x * 3
    seen = []
    with graph.register_multi_grad_hook([a, b], seen.append):
        (a * b).sum().backward(retain_graph=True)
        a.sum().backward(retain_graph=True)
    (a + b).sum().backward()
    assert [[None if g is None else g.tolist() for g in grads] for grads in seen] == [
        [[3, 6], [2, 4]],
        [[1, 1], None],
    ]
    first = []
    a, b = x * 2, x * 3
    graph.register_multi_grad_hook([a, b], first.append, mode="any")
    (a + b).sum().backward()
    assert len(first) == 1
    with pytest.raises(ValueError, match="'all', 'any'"):
        graph.register_multi_grad_hook([a], print, mode="some")


def test_backward_into_an_intermediate_result(device):
    x = leaf(1.0, 2.0)
    y = x * 2
    (y * 3).sum().backward(inputs=[y])
    assert y.grad.tolist() == [3, 3]
    assert x.grad is None


def test_gradients_of_edges(device):
    x = leaf(1.0, 2.0)
    y = x * 2
    edge = graph.get_gradient_edge(y)
    assert edge.node is y.grad_fn
    (g,) = autograd.grad((y * 3).sum(), [edge])
    assert g.tolist() == [3, 3]
    with pytest.raises(RuntimeError, match="requires no gradient"):
        graph.get_gradient_edge(x.detach())


# -- what operations save ----------------------------------------------------------------------------------
def test_saved_tensors_are_packed_and_unpacked(device):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    kept = []

    def pack(t):
        kept.append(t.tolist())
        return len(kept) - 1

    with graph.saved_tensors_hooks(pack, lambda i: genesis.tensor(kept[i], dtype=genesis.float64)):
        y = (x * w).exp()
    assert len(kept) == 3
    plain = autograd.grad(autograd.grad((x * w).exp().sum(), x, create_graph=True)[0].sum(), [x, w])
    found = autograd.grad(autograd.grad(y.sum(), x, create_graph=True)[0].sum(), [x, w])
    assert [t.tolist() for t in found] == [t.tolist() for t in plain]
    assert not genesis.autograd.grad_mode.watch.nodes


def test_what_the_hooks_may_not_do(device):
    x = leaf(1.0, 2.0)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 1):
        y = x.exp()
    with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor but got result of type int"):
        y.sum().backward()
    y = x * 1
    with (
        graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t),
        pytest.raises(RuntimeError, match="modifying its input in place"),
    ):
        y.exp()
    with (
        graph.disable_saved_tensors_hooks("not here"),
        pytest.raises(RuntimeError, match="not here"),
        graph.save_on_cpu(),
    ):
        pass


def test_saving_elsewhere(device):
    x = leaf(1.0, 2.0)
    with graph.save_on_cpu(pin_memory=True):
        y = (x * x).exp()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    expected = leaf(1.0, 2.0)
    ((expected * expected).exp() * 2).sum().backward()
    assert x.grad.tolist() == expected.grad.tolist()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


# -- anomaly mode ------------------------------------------------------------------------------------------
def test_a_nan_is_found_where_it_arises(device):
    x = leaf(0.0)

    def culprit():
        return x.sqrt() * 0

    with pytest.warns(UserWarning, match="anomaly detection slows"), autograd.detect_anomaly():
        y = culprit()
    (y * 1).backward(retain_graph=True)  # outside nobody looks
    with autograd.set_detect_anomaly(True):
        assert autograd.is_anomaly_enabled()
        with (
            pytest.raises(
                RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"
            ),
            pytest.warns(
                UserWarning, match=r"Traceback of forward call that caused the error:\n(.|\n)*culprit"
            ),
        ):
            y.backward()
    assert not autograd.is_anomaly_enabled()
    assert not autograd.grad_mode.watch.nodes


def test_an_error_in_the_backward_pass_is_located(device):
    class Broken(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            raise KeyError("broken")

    x = leaf(1.0)
    with autograd.set_detect_anomaly(True, check_nan=False):
        y = Broken.apply(x)
        with pytest.raises(KeyError), pytest.warns(UserWarning, match="Error detected in BrokenBackward"):
            y.backward()


# -- inference mode ----------------------------------------------------------------------------------------
def test_what_is_made_in_inference_mode(device):
    x = leaf(1.0, 2.0)
    with genesis.inference_mode():
        y = x * 2
        assert genesis.is_inference_mode_enabled()
        assert y.is_inference()
        assert y[0].is_inference()
        assert not x[0].is_inference()
        with genesis.enable_grad():
            assert not (x * 2).requires_grad
        with genesis.inference_mode(mode=False):
            assert (x * 2).requires_grad
            assert not (x * 2).is_inference()
    assert y.is_inference()
    assert not (y + 1).is_inference()

    @genesis.inference_mode
    def f():
        return (x * 2).is_inference()

    assert f()
    assert not genesis.is_inference_mode_enabled()


def test_variables_of_old_programs(device):
    x = genesis.ones(2)
    v = autograd.Variable(x, requires_grad=True)
    assert v.requires_grad
    assert not x.requires_grad
    assert isinstance(x, autograd.Variable)
    with pytest.raises(ValueError, match="no_grad"):
        autograd.Variable(x, volatile=True)


def test_old_names_of_arguments(device):
    x = leaf(1.0, 2.0)
    with pytest.warns(FutureWarning, match="grad_tensors"):
        autograd.backward(x * 2, grad_variables=genesis.ones(2, dtype=genesis.float64))
    assert x.grad.tolist() == [2, 2]


def test_gradients_of_a_batch_and_zeros_for_none(device):
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seeds = genesis.eye(2, dtype=genesis.float64)
    found = autograd.grad(x * y, [x, y], seeds, is_grads_batched=True)
    assert [g.tolist() for g in found] == [[[3, 0], [0, 4]], [[1, 0], [0, 2]]]
    assert [g.tolist() for g in autograd.grad((x * x).sum(), [x, y], materialize_grads=True)] == [
        [2, 4],
        [0, 0],
    ]
    with pytest.raises(ValueError, match="allow_unused"):
        autograd.grad((x * x).sum(), [x, y], materialize_grads=True, allow_unused=False)


def test_no_warning_without_need(device):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = leaf(1.0)
        (x * 2).backward()


def test_options_of_gradcheck(device):
    x = leaf(0.3, 0.7)
    assert autograd.gradcheck(lambda x: x.sin(), x, fast_mode=True, check_undefined_grad=False, masked=False)
    assert autograd.gradgradcheck(lambda x: x.sin(), (x,), gen_non_contig_grad_outputs=True)
    with pytest.raises(NotImplementedError, match="check_forward_ad"):
        autograd.gradcheck(lambda x: x.sin(), x, check_forward_ad=True)
    passes = []

    class Drifting(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            passes.append(1)
            return grad * (1 + 1e-8 * len(passes))

    with pytest.raises(RuntimeError, match="not reentrant"):
        autograd.gradcheck(Drifting.apply, x)
    assert autograd.gradcheck(Drifting.apply, x, nondet_tol=1e-5)
