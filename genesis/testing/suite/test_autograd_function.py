"""autograd.Function: operations with a backward pass of the user's."""

from __future__ import annotations

import pickle

import pytest

import genesis
from genesis import autograd
from genesis.autograd import Function


def leaf(*values, dtype=genesis.float64):
    return genesis.tensor(values, dtype=dtype, requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x, power=3):
        ctx.save_for_backward(x)
        ctx.power, ctx.note = power, "kept"
        return x**power

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * ctx.power * x ** (ctx.power - 1), None


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


def test_gradients_and_what_the_context_keeps(device):
    x = leaf(1.0, 2.0)
    y = Cube.apply(x, 3)
    assert y.tolist() == [1, 8]
    assert y.grad_fn.note == "kept"
    assert y.grad_fn.name() == "CubeBackward"
    assert y.grad_fn.needs_input_grad == (True, False)
    assert repr(y).endswith("grad_fn=<CubeBackward>)")
    assert y.grad_fn.next_functions[0][0].variable is x
    y.sum().backward()
    assert x.grad.tolist() == [3, 12]
    assert Cube.apply(x, power=2).tolist() == [1, 4]
    with genesis.no_grad():
        assert not Cube.apply(x).requires_grad


@pytest.mark.parametrize("function", [Cube.apply, Exp.apply])
def test_second_derivatives(device, function):
    assert autograd.gradcheck(function, leaf(0.5, 1.5))
    assert autograd.gradgradcheck(function, leaf(0.5, 1.5))


def test_several_results(device):
    seen = []

    class Parts(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            larger = a > b
            ctx.mark_non_differentiable(larger)
            return a + b, a * b, larger, "text"

        @staticmethod
        def backward(ctx, total, product, larger, text):
            a, b = ctx.saved_tensors
            seen.append([None if g is None else g.tolist() for g in (total, product, larger, text)])
            return total + product * b, total + product * a

    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    total, product, larger, text = Parts.apply(a, b)
    assert not larger.requires_grad
    assert text == "text"
    assert (total.output_nr, product.output_nr) == (0, 1)
    assert total.grad_fn is product.grad_fn
    product.sum().backward(retain_graph=True)
    assert seen == [[[0, 0], [1, 1], [0, 0], None]]
    (total * product).sum().backward()
    assert len(seen) == 2  # once for both results
    assert a.grad.tolist() == [3 + 3 + 4 * 3, 4 + 8 + 6 * 4]
    assert autograd.gradgradcheck(lambda a, b: Parts.apply(a, b)[:2], (a, b))


def test_missing_gradients_are_none_on_request(device):
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            assert first is None
            return second * 3

    x = leaf(1.0)
    Two.apply(x)[1].backward()
    assert x.grad.tolist() == [3]


def test_in_place(device):
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.mark_dirty(x)
            ctx.factor = factor
            return x.mul_(factor)

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

    x = leaf(1.0, 2.0)
    h = x * 1
    assert Scale.apply(h, 5) is h
    h.sum().backward()
    assert x.grad.tolist() == [5, 5]
    x.grad = None
    h = x * 1
    Scale.apply(h[0:1], 7)  # a view: its base has the new history
    h.sum().backward()
    assert x.grad.tolist() == [7, 1]
    with pytest.raises(RuntimeError, match="leaf"):
        Scale.apply(x, 2)

    class Forgotten(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x + 1

    with pytest.raises(RuntimeError, match="must all be outputs"):
        Forgotten.apply(x * 1)


def test_an_argument_and_a_view_as_results(device):
    class Same(Function):
        @staticmethod
        def forward(ctx, x, shape):
            return x if shape is None else x.view(shape)

        @staticmethod
        def backward(ctx, grad):
            return grad.reshape(2) * 10, None

    x = leaf(1.0, 2.0)
    for shape in (None, (2, 1)):
        x.grad = None
        y = Same.apply(x, shape)
        assert y is not x
        y.sum().backward()
        assert x.grad.tolist() == [10, 10]
        with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
            y.add_(1)
        y.detach().clone().add_(1)


def test_a_kept_result_is_not_overwritten(device):
    kept = genesis.ones(2, dtype=genesis.float64)

    class Constant(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return kept

    x = leaf(1.0, 2.0)
    (Constant.apply(x) + Constant.apply(x)).sum().backward()
    Constant.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert kept.tolist() == [1, 1]


def test_a_second_pass_and_changed_values(device):
    x = leaf(1.0, 2.0)
    y = Exp.apply(x)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()
    y = Exp.apply(x)
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()


def test_nothing_is_kept_alive(device):
    import gc
    import weakref

    y = Exp.apply(leaf(1.0))
    memory = weakref.ref(y.grad_fn)
    gc.disable()
    try:
        del y
        assert memory() is None
    finally:
        gc.enable()


def once(backward):
    class Square(Function):
        @staticmethod
        def forward(ctx, x, other=None):
            ctx.save_for_backward(x)
            return x * x

    Square.backward = staticmethod(backward)
    return Square


def test_once_differentiable(device):
    @autograd.function.once_differentiable
    def backward(ctx, grad):
        assert not genesis.is_grad_enabled()
        return grad * 2 * ctx.saved_tensors[0]

    x = leaf(1.0, 2.0)
    square = once(backward)
    (g,) = autograd.grad(square.apply(x).sum(), x)
    assert g.tolist() == [2, 4]
    (g,) = autograd.grad(square.apply(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        g.sum().backward()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (lambda g: None, r"incorrect number of gradients \(expected 2, got 1\)"),
        (lambda g: (g, None, g), r"expected 2, got 3"),
        (lambda g: (g, g), r"different than None at position 2"),
        (lambda g: (g[:1], None), r"invalid gradient at index 0 - got \[1\] but expected .* \[2\]"),
        (lambda g: (1, None), r"expected Variable or None \(got int\)"),
    ],
)
def test_wrong_gradients(device, result, text):
    with pytest.raises(RuntimeError, match=text) as caught:
        once(lambda ctx, g: result(g)).apply(leaf(1.0, 2.0), 1).sum().backward()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_gradients_are_made_to_fit(device):
    x = leaf(1.0, 2.0)
    for wide in (lambda g: g.expand(3, 2), lambda g: g.float(), lambda g: (g, None, None)):
        x.grad = None
        once(lambda ctx, g, wide=wide: wide(g)).apply(x).sum().backward()
        assert x.grad.dtype is genesis.float64
        assert x.grad.shape == (2,)


def test_how_it_is_used_wrongly(device):
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="static"), pytest.warns(DeprecationWarning, match="instantiated"):
        Cube()(x)
    with pytest.raises(TypeError, match="argument 0 is of type int"):
        once(None).apply.__func__(
            type("Bad", (Function,), {"forward": staticmethod(lambda ctx, x: ctx.save_for_backward(1))}), x
        )
    with pytest.raises(NotImplementedError, match="forward"):
        Function.apply(x)
    with pytest.raises(NotImplementedError, match="backward or vjp"):
        type("Half", (Function,), {"forward": staticmethod(lambda ctx, x: x * 2)}).apply(x).backward()
    with pytest.raises(TypeError, match="nothing"):
        Cube.apply(x, nothing=1)


def test_a_graph_inside_of_a_function(device):
    class Inner(Function):
        @staticmethod
        def forward(ctx, x):
            with genesis.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = Cube.apply(ctx.x, 2)
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, grad):
            return autograd.grad(ctx.y, ctx.x, grad)[0]

    x = leaf(1.0, 2.0)
    Inner.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 4]
