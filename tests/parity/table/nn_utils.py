"""Tools of ``nn.utils``, each as a call that gives tensors, texts or names."""

from __future__ import annotations

import copy
import importlib
from typing import Any

import numpy as np

from table._entry import Entry, Init, S, floats

PLAIN: dict[str, Any] = {"layouts": ("plain",)}


def tool(library: Any, path: str) -> Any:
    """A module of a library that need not be imported yet."""
    return importlib.import_module(f"{library.__name__}.{path}")


def state(module: Any) -> list[Any]:
    """Names and tensors of a state."""
    return [x for key, value in module.state_dict().items() for x in (key, value)]


# -- gradients ---------------------------------------------------------------------------------------------
def with_gradients(library: Any, *grads: Any) -> list[Any]:
    parameters = []
    for g in grads:
        p = library.nn.Parameter(library.zeros_like(g.detach()))
        p.grad = g.detach().clone()
        parameters.append(p)
    return parameters


def clipped(library: Any, function: Any, grads: Any, *args: Any, **kwargs: Any) -> Any:
    parameters = with_gradients(library, *grads)
    result = function(parameters, *args, **kwargs)
    return [result is None or result, [p.grad for p in parameters]]


def clipped_by_norm(library: Any, function: Any, grads: Any, limit: float, total: Any) -> Any:
    parameters = with_gradients(library, *grads)
    function(parameters, limit, total.detach())
    return [p.grad for p in parameters]


def as_vector(library: Any, function: Any, arrays: Any) -> Any:
    return function(arrays)


def from_vector(library: Any, function: Any, vector: Any) -> Any:
    parameters = [library.nn.Parameter(library.zeros(n, dtype=vector.dtype)) for n in ((2, 3), (4,), (1, 2))]
    function(vector, parameters)
    return [p.detach() for p in parameters]


GRADS = [floats(3, 4), floats(5) * 3, floats(2, 2, 2)]
GRADIENTS = [
    Entry(
        "nn.utils.clip_grad_norm_",
        [
            S(GRADS, 1.0),
            S(GRADS, 100.0),
            S(GRADS, 1.0, 1.0),
            S(GRADS, 0.5, float("inf")),
            S(GRADS, max_norm=2.0, norm_type=3.0),
            S(GRADS, 0.0),
            S([], 1.0),
            S([floats(4) * 0], 1.0),
            S(GRADS, 1.0, error_if_nonfinite=True, foreach=False),
        ],
        call=clipped,
        grad=False,
        errors=[S([np.array([1.0, np.inf])], 1.0, error_if_nonfinite=True)],
    ),
    Entry("nn.utils.clip_grad_norm_", [S([np.array([1.0, np.inf])], 1.0)], call=clipped, grad=False, **PLAIN),
    Entry("nn.utils.clip_grad_norm", [S(GRADS, 1.0)], call=clipped, grad=False, **PLAIN),
    Entry("nn.utils.clip_grad_value_", [S(GRADS, 0.7), S(GRADS, 9)], call=clipped, grad=False),
    Entry(
        "nn.utils.clip_grads_with_norm_",
        [S(GRADS, 1.0, np.array(4.0)), S(GRADS, 5.0, np.array(4.0))],
        call=clipped_by_norm,
        grad=False,
        **PLAIN,
    ),
    Entry(
        "nn.utils.get_total_norm",
        [S(GRADS), S(GRADS, 1.0), S(GRADS, float("inf")), S(GRADS, 3.0), S([]), S(floats(4))],
        grad=False,
        errors=[S([np.array([np.nan])], error_if_nonfinite=True)],
    ),
    Entry("nn.utils.parameters_to_vector", [S(GRADS), S([floats(3)])], call=as_vector, **PLAIN),
    Entry("nn.utils.vector_to_parameters", [S(floats(12))], call=from_vector, grad=False, **PLAIN),
]


# -- layers with other weights -----------------------------------------------------------------------------
def computed(library: Any, layer: Any, x: Any, wrap: Any) -> Any:
    """Wrapped, called and differentiated; then its state and the gradients of its parameters."""
    layer = wrap(library, layer)
    out = layer(x)
    (out * out).sum().backward()
    return [
        out.detach(),
        state(layer),
        [p.grad for p in layer.parameters()],
        [n for n, _ in layer.named_parameters()],
    ]


def wrapped(wrap: Any) -> Any:
    return lambda library, layer, x: computed(library, layer, x, wrap)


def weight_norm(dim: int | None) -> Any:
    return wrapped(lambda library, layer: library.nn.utils.weight_norm(layer, "weight", dim))


def without_weight_norm(library: Any, layer: Any) -> Any:
    library.nn.utils.weight_norm(layer)
    return library.nn.utils.remove_weight_norm(layer)


def new_weight_norm(dim: int | None) -> Any:
    def wrap(library: Any, layer: Any) -> Any:
        return tool(library, "nn.utils.parametrizations").weight_norm(layer, "weight", dim)

    return wrapped(wrap)


def without_new_weight_norm(library: Any, layer: Any) -> Any:
    tool(library, "nn.utils.parametrizations").weight_norm(layer)
    return tool(library, "nn.utils.parametrize").remove_parametrizations(layer, "weight")


def same_vectors(library: Any, layer: Any, u: str, v: str, rows: int) -> None:
    """Singular vectors to start from that both libraries share."""
    for buffer in (getattr(layer, u), getattr(layer, v)):
        n = buffer.shape[0]
        values = library.tensor(np.cos(np.arange(n) + rows).astype(str(buffer.dtype).split(".")[-1]))
        buffer.copy_(values / values.norm())


def spectral_norm(library: Any, layer: Any) -> Any:
    layer = library.nn.utils.spectral_norm(layer, n_power_iterations=3)
    same_vectors(library, layer, "weight_u", "weight_v", 1)
    return layer


def without_spectral_norm(library: Any, layer: Any) -> Any:
    return library.nn.utils.remove_spectral_norm(spectral_norm(library, layer))


def new_spectral_norm(library: Any, layer: Any) -> Any:
    tool(library, "nn.utils.parametrizations").spectral_norm(layer, n_power_iterations=2)
    same_vectors(library, layer.parametrizations.weight[0], "_u", "_v", 1)
    return layer


class Symmetric:
    """Makes a parametrization in either library."""

    def __new__(cls, library: Any, inverse: bool = True) -> Any:
        class Made(library.nn.Module):  # type: ignore[name-defined, misc]
            def forward(self, x: Any) -> Any:
                return x.triu() + x.triu(1).transpose(-1, -2)

        if inverse:
            Made.right_inverse = lambda self, x: x.triu()  # type: ignore[attr-defined]
        return Made()


class Doubled:
    def __new__(cls, library: Any) -> Any:
        class Made(library.nn.Module):  # type: ignore[name-defined, misc]
            def forward(self, x: Any) -> Any:
                return x * 2

            def right_inverse(self, x: Any) -> Any:
                return x / 2

        return Made()


def parametrized(library: Any, layer: Any) -> Any:
    p = tool(library, "nn.utils.parametrize")
    p.register_parametrization(layer, "weight", Symmetric(library))
    p.register_parametrization(layer, "weight", Doubled(library))
    assert p.is_parametrized(layer)
    assert p.is_parametrized(layer, "weight")
    assert not p.is_parametrized(layer, "bias")
    assert p.type_before_parametrizations(layer) is library.nn.Linear
    assert isinstance(layer, library.nn.Linear)
    return layer


def no_longer_parametrized(leave: bool) -> Any:
    def wrap(library: Any, layer: Any) -> Any:
        parametrized(library, layer)
        tool(library, "nn.utils.parametrize").remove_parametrizations(layer, "weight", leave)
        assert type(layer) is library.nn.Linear
        return layer

    return wrapped(wrap)


def assigned(library: Any, layer: Any) -> Any:
    parametrized(library, layer)
    weight = library.arange(16, dtype=layer.bias.dtype).reshape(4, 4)
    layer.weight = weight + weight.T
    return copy.deepcopy(layer)


def within_cache(library: Any, layer: Any, x: Any) -> Any:
    p = tool(library, "nn.utils.parametrize")
    p.register_parametrization(layer, "weight", Symmetric(library))
    with p.cached():
        assert layer.weight is layer.weight
        out = layer(layer(x))
    assert layer.weight is not layer.weight
    return out.detach()


def orthogonal(map: str, trivial: bool) -> Any:
    def call(library: Any, layer: Any, x: Any) -> Any:
        tool(library, "nn.utils.parametrizations").orthogonal(
            layer, orthogonal_map=map, use_trivialization=trivial
        )
        original = layer.parametrizations.weight.original
        if trivial:
            base = layer.parametrizations.weight[0].base
            base.copy_(library.eye(base.shape[0], dtype=base.dtype))
        rows, columns = original.shape
        values = np.sin(np.arange(rows * columns)).reshape(rows, columns)
        i = np.arange(min(rows, columns))
        values[i, i] = np.where(i % 2, 1, -1)
        with library.no_grad():
            original.copy_(library.tensor(values.astype(str(original.dtype).split(".")[-1])))
        out = layer(x)
        (out * out * library.arange(out.numel(), dtype=out.dtype).reshape(out.shape)).sum().backward()
        return [layer.weight.detach(), out.detach(), original.grad, [k for k, _ in layer.named_parameters()]]

    return call


def assigned_orthogonal(library: Any, layer: Any, x: Any) -> Any:
    tool(library, "nn.utils.parametrizations").orthogonal(layer, use_trivialization=False)
    n, k = layer.weight.shape
    dtype = str(layer.bias.dtype).split(".")[-1]
    q = np.linalg.qr(np.cos(np.arange(max(n, k) ** 2)).reshape(max(n, k), -1) + np.eye(max(n, k)))[0][:n, :k]
    layer.weight = library.tensor(q.astype(dtype))
    return layer.weight.detach()


SMALL = {"tolerance": {"float32": (1e-4, 3e-5)}, "why": "several steps of power iteration or of a series"}
LAYERS = [
    *[
        Entry("nn.Linear", [S(Init(4, 3), floats(2, 4))], call=weight_norm(dim), grad=False, **PLAIN)
        for dim in (0, 1, None, -1)
    ],
    Entry("nn.Conv2d", [S(Init(2, 3, 2), floats(1, 2, 3, 3))], call=weight_norm(0), grad=False, **PLAIN),
    Entry("nn.Linear", [S(Init(4, 3), floats(2, 4))], call=wrapped(without_weight_norm), grad=False, **PLAIN),
    *[
        Entry("nn.Linear", [S(Init(4, 3), floats(2, 4))], call=new_weight_norm(dim), grad=False, **PLAIN)
        for dim in (0, 1, None)
    ],
    Entry(
        "nn.Linear", [S(Init(4, 3), floats(2, 4))], call=wrapped(without_new_weight_norm), grad=False, **PLAIN
    ),
    Entry(
        "nn.Linear", [S(Init(4, 3), floats(2, 4))], call=wrapped(spectral_norm), grad=False, **PLAIN, **SMALL
    ),
    Entry(
        "nn.Linear",
        [S(Init(4, 3), floats(2, 4))],
        call=wrapped(without_spectral_norm),
        grad=False,
        **PLAIN,
        **SMALL,
    ),
    Entry(
        "nn.Conv1d",
        [S(Init(2, 3, 2), floats(1, 2, 4))],
        call=wrapped(spectral_norm),
        grad=False,
        **PLAIN,
        **SMALL,
    ),
    Entry(
        "nn.ConvTranspose1d",
        [S(Init(2, 3, 2), floats(1, 2, 4))],
        call=wrapped(spectral_norm),
        grad=False,
        **PLAIN,
        **SMALL,
    ),
    Entry(
        "nn.Linear",
        [S(Init(4, 3), floats(2, 4))],
        call=wrapped(new_spectral_norm),
        grad=False,
        **PLAIN,
        **SMALL,
    ),
    Entry(
        "nn.Conv1d",
        [S(Init(2, 3, 2), floats(1, 2, 4))],
        call=wrapped(new_spectral_norm),
        grad=False,
        **PLAIN,
        **SMALL,
    ),
    Entry("nn.Linear", [S(Init(4, 4), floats(2, 4))], call=wrapped(parametrized), grad=False, **PLAIN),
    Entry("nn.Linear", [S(Init(4, 4), floats(2, 4))], call=no_longer_parametrized(True), grad=False, **PLAIN),
    Entry(
        "nn.Linear", [S(Init(4, 4), floats(2, 4))], call=no_longer_parametrized(False), grad=False, **PLAIN
    ),
    Entry("nn.Linear", [S(Init(4, 4), floats(2, 4))], call=wrapped(assigned), grad=False, **PLAIN, **SMALL),
    Entry("nn.Linear", [S(Init(4, 4), floats(2, 4))], call=within_cache, grad=False, **PLAIN),
    *[
        Entry(
            "nn.Linear",
            [S(Init(*sizes), floats(2, sizes[0]))],
            call=orthogonal(map, trivial),
            grad=False,
            **PLAIN,
            **SMALL,
        )
        for sizes in ((4, 4), (3, 5), (5, 3))
        for map in ("matrix_exp", "cayley", "householder")
        for trivial in (True, False)
    ],
    *[
        Entry(
            "nn.Linear",
            [S(Init(*sizes), floats(2, sizes[0]))],
            call=assigned_orthogonal,
            grad=False,
            **PLAIN,
            **SMALL,
        )
        for sizes in ((3, 5), (5, 3))
    ],
]


# -- pruning -----------------------------------------------------------------------------------------------
def pruned(*steps: Any, twice: bool = False, removed: bool = False) -> Any:
    """A layer after some functions of ``prune``."""

    def call(library: Any, layer: Any, x: Any) -> Any:
        prune = tool(library, "nn.utils.prune")
        assert not prune.is_pruned(layer)
        for name, *args in steps:
            args = [library.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
            assert getattr(prune, name)(layer, "weight", *args) is layer
        assert prune.is_pruned(layer)
        kinds = [type(hook).__name__ for hook in layer._forward_pre_hooks.values()]
        if removed:
            prune.remove(layer, "weight")
            assert not prune.is_pruned(layer)
        out = layer(x)
        out.sum().backward()
        return [kinds, state(layer), out.detach(), [p.grad for p in layer.parameters()]]

    return call


def counted(name: str, *args: Any) -> Any:
    """How much is left after pruning at random."""

    def call(library: Any, layer: Any, x: Any) -> Any:
        layer = getattr(tool(library, "nn.utils.prune"), name)(copy.deepcopy(layer), "weight", *args)
        return [layer.weight_mask.sum().detach(), list(layer.weight_mask.shape)]

    return call


def pruned_everywhere(library: Any, layer: Any, x: Any) -> Any:
    prune = tool(library, "nn.utils.prune")
    model = library.nn.Sequential(copy.deepcopy(layer), library.nn.ReLU(), copy.deepcopy(layer))
    pairs = [(model[0], "weight"), (model[2], "weight"), (model[2], "bias")]
    with library.no_grad():
        model[2].weight.mul_(1.3)
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.4)
    prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=5)
    return [state(model), model(x).detach()]


MASK = np.array([[1, 0, 1, 0], [0, 1, 1, 1], [1, 1, 0, 1]], "float32")
LINEAR = [S(Init(4, 3), floats(2, 4))]
ONE: dict[str, Any] = {"layouts": ("plain",), "grad": False, "dtypes": ("float32",)}
PRUNING = [
    *[
        Entry("nn.Linear", LINEAR, call=pruned(*steps), **ONE)
        for steps in (
            [("identity",)],
            [("l1_unstructured", 0.3)],
            [("l1_unstructured", 5)],
            [("l1_unstructured", 0)],
            [("l1_unstructured", 1.0)],
            [("ln_structured", 1, 2, 0)],
            [("ln_structured", 0.5, 1, 1)],
            [("ln_structured", 0, 2, -1)],
            [("ln_structured", 0.5, float("inf"), -1)],
            [("custom_from_mask", MASK)],
            [("l1_unstructured", 3), ("l1_unstructured", 0.5)],
            [("l1_unstructured", 3), ("ln_structured", 1, 2, 0)],
            [("ln_structured", 1, 2, 0), ("ln_structured", 1, 2, 1), ("l1_unstructured", 1)],
            [("custom_from_mask", MASK), ("l1_unstructured", 2)],
        )
    ],
    Entry("nn.Linear", LINEAR, call=pruned(("l1_unstructured", 0.5), removed=True), **ONE),
    Entry(
        "nn.Conv2d", [S(Init(2, 3, 2), floats(1, 2, 3, 3))], call=pruned(("ln_structured", 1, 2, 0)), **ONE
    ),
    Entry("nn.Linear", [S(Init(4, 4), floats(2, 4))], call=pruned_everywhere, **ONE),
    Entry("nn.Linear", LINEAR, call=counted("random_unstructured", 0.5), **ONE),
    Entry("nn.Linear", LINEAR, call=counted("random_structured", 1, 0), **ONE),
    *[
        Entry("nn.Linear", [], call=pruned(step), errors=LINEAR)
        for step in (
            ("l1_unstructured", 13),
            ("l1_unstructured", 1.5),
            ("l1_unstructured", -1),
            ("l1_unstructured", "all"),
            ("ln_structured", 1, 2, 2),
            ("custom_from_mask", MASK[:2]),
        )
    ],
]


# -- fusion and calls with other parameters ----------------------------------------------------------------
def fused(name: str, make: Any, transpose: bool = False) -> Any:
    def call(library: Any, bn: Any, x: Any) -> Any:
        layer = make(library.nn).to(x.dtype).eval()
        with library.no_grad():
            for i, p in enumerate([*layer.parameters(), *bn.parameters(), bn.running_mean, bn.running_var]):
                values = np.cos(np.arange(p.numel()) + i).reshape(tuple(p.shape)) + 1.5
                p.copy_(library.tensor(values.astype(str(p.dtype).split(".")[-1])))
        bn.eval()
        one = getattr(library.nn.utils.fusion, name)(layer, bn, *([True] if transpose else []))
        return [one(x).detach(), bn(layer(x)).detach(), state(one)]

    return call


def functional(strict: bool, *names: str) -> Any:
    def call(library: Any, layer: Any, x: Any) -> Any:
        other = {
            n: library.cos(library.arange(p.numel()).reshape(p.shape).to(p.dtype))
            for n, p in layer.named_parameters()
            if n in names
        }
        f = tool(library, "nn.utils.stateless").functional_call
        return [
            f(layer, other, (x,), strict=strict).detach(),
            f(layer, other, x).detach(),
            layer(x).detach(),
        ]

    return call


def skipped(library: Any, function: Any) -> Any:
    layer = function(library.nn.Linear, 3, 4, bias=False)
    return [type(layer).__name__, list(layer.weight.shape), layer.weight.requires_grad]


FUSION = [
    Entry(
        "nn.BatchNorm1d",
        [S(Init(3), floats(2, 4))],
        call=fused("fuse_linear_bn_eval", lambda nn: nn.Linear(4, 3)),
        grad=False,
        **PLAIN,
    ),
    Entry(
        "nn.BatchNorm2d",
        [S(Init(3), floats(1, 2, 4, 4))],
        call=fused("fuse_conv_bn_eval", lambda nn: nn.Conv2d(2, 3, 2)),
        grad=False,
        **PLAIN,
    ),
    Entry(
        "nn.BatchNorm2d",
        [S(Init(3), floats(1, 2, 4, 4))],
        call=fused("fuse_conv_bn_eval", lambda nn: nn.Conv2d(2, 3, 2, bias=False)),
        grad=False,
        **PLAIN,
    ),
    Entry(
        "nn.BatchNorm1d",
        [S(Init(3), floats(1, 2, 4))],
        call=fused("fuse_conv_bn_eval", lambda nn: nn.ConvTranspose1d(2, 3, 2), True),
        grad=False,
        **PLAIN,
    ),
    Entry("nn.Linear", LINEAR, call=functional(False, "weight"), grad=False, **PLAIN),
    Entry("nn.Linear", LINEAR, call=functional(True, "weight", "bias"), grad=False, **PLAIN),
    Entry("nn.Linear", [], call=functional(True, "weight"), errors=LINEAR),
    Entry("nn.utils.skip_init", [S()], call=skipped),
]
ENTRIES = [*GRADIENTS, *LAYERS, *PRUNING, *FUSION]
