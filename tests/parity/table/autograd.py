"""Derivatives: custom functions, Jacobians and Hessians, functions of functions, checkpointing, hooks.

Each entry names what it is about; ``call`` runs a small program with it in either library.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from table._entry import Entry, S, floats, positive


# -- autograd.Function -------------------------------------------------------------------------------------
def functions(library: Any) -> dict[str, Any]:
    Function = library.autograd.Function

    class Power(Function):
        @staticmethod
        def forward(ctx, x, n=2):
            ctx.save_for_backward(x)
            ctx.n = n
            return x**n

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * ctx.n * x ** (ctx.n - 1), None

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

    class Both(Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            sign = a > b
            ctx.mark_non_differentiable(sign)
            return a + b, a * b, sign

        @staticmethod
        def backward(ctx, total, product, sign):
            a, b = ctx.saved_tensors
            return total + product * b, total + product * a

    class Sparing(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, first, second):
            return (0 if first is None else first * 2) + (0 if second is None else second * 3)

    class Scale(Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.mark_dirty(x)
            ctx.factor = factor
            x.mul_(factor)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 10

    class Transposed(Function):
        @staticmethod
        def forward(ctx, x):
            return x.transpose(0, 1)

        @staticmethod
        def backward(ctx, grad):
            return grad.transpose(0, 1) * 3

    class Needs(Function):
        @staticmethod
        def forward(ctx, a, b, c):
            ctx.constants = ctx.needs_input_grad
            return a * b

        @staticmethod
        def backward(ctx, grad):
            return grad * float(sum(ctx.constants)), None, None

    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape = x.shape
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad.expand(3, *ctx.shape)

    class Few(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, grad):
            return grad

    class Narrow(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad[:1]

    return {k: v for k, v in locals().items() if isinstance(v, type) and k != "Function"}


def apply(name: str) -> Any:
    def call(library: Any, function: Any, *args: Any) -> Any:
        result = functions(library)[name].apply(*args)
        return [r for r in result if r.is_floating_point()] if isinstance(result, tuple) else result

    return call


def on_a_copy(name: str) -> Any:
    """For what writes in place, and views: an argument that is no leaf."""
    return lambda library, function, x, *args: functions(library)[name].apply(x * 1, *args) * 2


def second(name: str, *further: Any) -> Any:
    """The gradient of the gradient."""

    def call(library: Any, function: Any, *args: Any) -> Any:
        result = functions(library)[name].apply(*args, *further)
        total = sum(
            (r * r).sum() for r in (result if isinstance(result, tuple) else (result,)) if r.requires_grad
        )
        first = library.autograd.grad(total, args, create_graph=True)
        return [g * g for g in first]

    return call


def refused(name: str) -> Any:
    def call(library: Any, function: Any, *args: Any) -> Any:
        functions(library)[name].apply(*args).sum().backward()

    return call


def written_to(library: Any, function: Any, x: Any) -> Any:
    y = functions(library)["Same"].apply(x)
    y.add_(1)
    return y


X, Y, P = floats(3, 4), floats(3, 4), positive(3, 4)


def function(name: str, samples: list[S], call: Any = None, **options: Any) -> Entry:
    return Entry("autograd.Function", [S(*s.args, label=f"{name}{i}") for i, s in enumerate(samples)],
                 call=call or apply(name), **options)  # fmt: skip


FUNCTIONS = [
    function("Power", [S(X), S(X, 3), S(floats(0, 2)), S(floats())]),
    function("Exp", [S(X), S(floats(2, 1, 3))]),
    function("Both", [S(X, Y), S(floats(2), floats(2))]),
    function("Sparing", [S(X)]),
    function("Scale", [S(X, 3.0), S(floats(5), 2)], on_a_copy("Scale")),
    function("Same", [S(X)]),
    function("Transposed", [S(X)], on_a_copy("Transposed")),
    function("Needs", [S(X, Y, 3), S(X, 2.0, None)]),
    function("Wide", [S(X), S(floats(1, 4))]),
    function("PowerTwice", [S(P)], second("Power", 3)),
    function("ExpTwice", [S(X)], second("Exp")),
    function("BothTwice", [S(X, Y)], second("Both")),
    Entry("autograd.Function", [], call=refused("Few"), errors=[S(X, Y, label="few")]),
    Entry("autograd.Function", [], call=refused("Narrow"), errors=[S(X, label="narrow")]),
    Entry("autograd.Function", [], call=refused("Scale"), errors=[S(X, 2, label="leaf in place")]),
    Entry("autograd.Function", [], call=written_to, errors=[S(X, label="view written to")]),
]  # fmt: skip


# -- products with Jacobians and Hessians ------------------------------------------------------------------
ONE = {
    "exp": lambda x: x.exp(),
    "matrix": lambda x: x @ x.transpose(0, 1),
    "sum": lambda x: (x**3).sum(),
    "constant": lambda x: x.detach() * 2,
    "pair": lambda x: (x.sin(), (x * x).sum()),
}
TWO = {
    "product": lambda x, y: x * y.cos(),
    "pair": lambda x, y: ((x * y).sum(), x.exp() + y),
    "energy": lambda x, y: (x * x * y).sum() + y.sin().sum(),
    "first": lambda x, y: (x * x).sum(),
}


def of(table: dict[str, Any], name: str, **options: Any) -> Any:
    return lambda library, target, *args: target(table[name], args if len(args) > 1 else args[0], **options)


def with_vector(table: dict[str, Any], name: str, count: int, several: bool = False, **options: Any) -> Any:
    """The last ``count`` arguments are the vector."""

    def call(library: Any, target: Any, *args: Any) -> Any:
        x, v = args[: len(args) - count], args[len(args) - count :]
        return target(
            table[name],
            x if len(x) > 1 else x[0],
            (v if count > 1 or several else v[0]) if v else None,
            **options,
        )

    return call


def e(name: str, samples: list[S], call: Any, label: str, **options: Any) -> Entry:
    return Entry(f"autograd.functional.{name}",
                 [S(*s.args, label=f"{label}{i}", **s.kwargs) for i, s in enumerate(samples)],
                 call=call, layouts=("plain", "transposed"), **options)  # fmt: skip


A, B = floats(2, 3), floats(2, 3)
FUNCTIONAL = [
    *[
        e("jacobian", [S(A), S(floats(2, 2))], of(ONE, name, create_graph=graph), f"{name}{graph:d}",
        grad=graph) for name in ("exp", "matrix", "sum", "pair")
        for graph in (False, True)
    ],
    e("jacobian", [S(A)], of(ONE, "constant"), "constant", grad=False),
    e("jacobian", [S(A)], of(ONE, "exp", vectorize=True), "vectorize", grad=False),
    *[
        e("jacobian", [S(A, B)], of(TWO, name, create_graph=graph), f"two {name}{graph:d}", grad=graph)
        for name in ("product", "pair", "energy")
        for graph in (False, True)
    ],
    *[
        e("hessian", [S(A), S(floats(4))], of(ONE, "sum", create_graph=graph), f"sum{graph:d}", grad=graph)
        for graph in (False, True)
    ],
    *[
        e("hessian", [S(A, B)], of(TWO, name, create_graph=graph), f"two {name}{graph:d}", grad=graph)
        for name in ("energy", "first")
        for graph in (False, True)
    ],
    *[
        e(product, [S(A, B)], with_vector(ONE, name, 1, create_graph=graph), f"{name}{graph:d}", grad=graph)
        for product, name in (("vjp", "exp"), ("jvp", "exp"), ("vhp", "sum"), ("hvp", "sum"))
        for graph in (False, True)
    ],
    *[
        e(product, [S(A, B, floats(2, 3), floats(2, 3))], with_vector(TWO, "energy", 2, create_graph=graph),
          f"two{graph:d}", grad=graph)
        for product in ("jvp", "vhp", "hvp")
        for graph in (False, True)
    ],
    e("vjp", [S(A, B, floats(), floats(2, 3))], with_vector(TWO, "pair", 2), "pair", grad=False),
    e("vjp", [S(A)], with_vector(ONE, "sum", 0), "no vector", grad=False),
    Entry("autograd.functional.jacobian", [], call=of(ONE, "constant", strict=True), errors=[S(A,
    label="strict")]), Entry("autograd.functional.hessian", [], call=of(TWO, "first", strict=True),
    errors=[S(A, B, label="strict")]), Entry("autograd.functional.hessian", [], call=of(ONE, "exp"),
    errors=[S(A, label="no number")]), Entry("autograd.functional.vjp", [], call=with_vector(ONE, "exp",
    1), errors=[S(A, floats(3), label="shape")]), Entry("autograd.functional.vjp", [],
    call=with_vector(ONE, "exp", 0), errors=[S(A, label="no vector")]), Entry("autograd.functional.jvp",
    [], call=with_vector(ONE, "exp", 1), errors=[S(A, floats(3), label="shape")]),
    Entry("autograd.functional.jvp", [], call=with_vector(ONE, "exp", 1), errors=[S([1.0], A,
    label="list")]), Entry("autograd.functional.vhp", [], call=with_vector(ONE, "exp", 1), errors=[S(A,
    A, label="no number")]), Entry("autograd.functional.hvp", [], call=with_vector(ONE, "exp", 1),
    errors=[S(A, A, label="no number")]),
]  # fmt: skip


# -- functions of functions --------------------------------------------------------------------------------
def transformed(name: str, *options: Any, inner: Any = None, **named: Any) -> Any:
    """``library.func.name(f, ...)`` called with the arguments, which are outside of any graph."""

    def call(library: Any, target: Any, *args: Any) -> Any:
        f = inner(library) if inner is not None else named["f"]
        return target(f, *options, **{k: v for k, v in named.items() if k != "f"})(*args)

    return call


def product(kind: str, f: Any) -> Any:
    def call(library: Any, target: Any, x: Any, v: Any) -> Any:
        if kind == "jvp":
            return target(f, (x,), (v,))
        if kind == "linearize":
            out, push = target(f, x)
            return out, push(v)
        out, pull = target(f, x)
        return out, list(pull(v))  # a tuple also of one

    return call


def func(name: str, samples: list[S], call: Any, label: str) -> Entry:
    return Entry(f"func.{name}", [S(*s.args, label=f"{label}{i}") for i, s in enumerate(samples)], call=call,
                 grad=False, layouts=("plain",))  # fmt: skip


energy = TWO["energy"]
FUNC = [
    func("grad", [S(A)], transformed("grad", f=ONE["sum"]), "sum"),
    func("grad", [S(A, B)], transformed("grad", (0, 1), f=energy), "both"),
    func("grad", [S(A, B)], transformed("grad", 1, f=energy), "second"),
    func("grad", [S(A, B)], transformed("grad", -1, f=energy), "last"),
    func("grad", [S(floats())], transformed("grad", inner=lambda t: t.func.grad(lambda x: x**3 *
    x.sin())), "twice"), func("grad", [S(A)], transformed("grad", f=lambda x: ((x * x).sum(), x * 2),
    has_aux=True), "aux"), func("grad", [S({"w": A, "b": floats(3)}, B)], transformed("grad", f=lambda p,
    x: (p["w"] * x + p["b"]).sin().sum()), "tree"), func("grad_and_value", [S(A)],
    transformed("grad_and_value", f=ONE["sum"]), "sum"), func("grad_and_value", [S(A)],
    transformed("grad_and_value", f=lambda x: ((x * x).sum(), x * 2), has_aux=True), "aux"), func("vjp",
    [S(A, B)], product("vjp", ONE["exp"]), "exp"), func("jvp", [S(A, B)], product("jvp", ONE["exp"]), "exp"),
    func("linearize", [S(A, B)], product("linearize", ONE["exp"]), "exp"),
    func("jacrev", [S(A)], transformed("jacrev", f=ONE["exp"]), "exp"),
    func("jacrev", [S(A)], transformed("jacrev", f=ONE["pair"]), "pair"),
    func("jacrev", [S(A, B)], transformed("jacrev", (0, 1), f=TWO["product"]), "both"),
    func("jacfwd", [S(A)], transformed("jacfwd", f=ONE["matrix"]), "matrix"),
    func("hessian", [S(floats(3))], transformed("hessian", f=ONE["sum"]), "sum"),
    func("hessian", [S(A, B)], transformed("hessian", (0, 1), f=energy), "both"),
    func("vmap", [S(A, floats(2, 3))], transformed("vmap", f=lambda x, y: (x * y).sum()), "rows"),
    func("vmap", [S(A, floats(3))], transformed("vmap", (0, None), f=lambda x, y: x * y), "shared"),
    func("vmap", [S(A, floats(3, 2))], transformed("vmap", (0, 1), f=lambda x, y: x - y), "columns"),
    func("vmap", [S(A)], transformed("vmap", 0, 1, f=lambda x: x * 2), "out"),
    func("vmap", [S(A)], transformed("vmap", 1, (0, None), f=lambda x: (x.exp(), x.sum())) if False else
         transformed("vmap", 1, (0, 0), f=lambda x: (x.exp(), x.sum())), "pair"),
    func("vmap", [S({"x": A, "y": B})], transformed("vmap", f=lambda d: d["x"] @ d["y"]), "tree"),
    func("vmap", [S(A, B)], transformed("vmap", inner=lambda t: t.func.grad(lambda x, y: (x *
    y.exp()).sum())), "grad"), func("vmap", [S(floats(2, 3, 4))], transformed("vmap", inner=lambda t:
    t.func.vmap(lambda x: x / x.norm())), "nested"),
]  # fmt: skip
REFUSED = [
    Entry("func.grad", [], call=transformed("grad", f=ONE["exp"]), errors=[S(A, label="no number")]),
    Entry("func.grad", [], call=transformed("grad", 2, f=ONE["sum"]), errors=[S(A, label="argnums")]),
    Entry("func.vmap", [], call=transformed("vmap", f=energy), errors=[S(A, floats(3, 3), label="sizes")]),
    Entry("func.vmap", [], call=transformed("vmap", None, f=ONE["exp"]), errors=[S(A, label="no axis")]),
]


# -- checkpointing -----------------------------------------------------------------------------------------
def checkpointed(reentrant: bool, f: Any, **options: Any) -> Any:
    def call(library: Any, function: Any, *args: Any) -> Any:
        return function(f, *args, use_reentrant=reentrant, **options)

    return call


def nested(reentrant: bool) -> Any:
    def call(library: Any, function: Any, x: Any) -> Any:
        def outer(x: Any) -> Any:
            return function(lambda z: z.sin().exp(), x * 2, use_reentrant=reentrant) * 3

        return function(outer, x, use_reentrant=reentrant)

    return call


def in_segments(reentrant: bool, segments: int) -> Any:
    steps = [lambda x: x.sin(), lambda x: x * x, lambda x: x.exp(), lambda x: x / 2, lambda x: x.tanh()]
    return lambda library, function, x: function(steps, segments, x, use_reentrant=reentrant)


def penalty(library: Any, function: Any, x: Any, w: Any) -> Any:
    y = function(lambda x: (x * w).exp(), x, use_reentrant=False)
    (g,) = library.autograd.grad(y.sum(), x, create_graph=True)
    return g * g


CHECKPOINT = "utils.checkpoint.checkpoint"
CHECKPOINTS = [
    entry
    for r in (True, False)
    for entry in (
        Entry(CHECKPOINT, [S(X, Y, label=f"two{r}")], call=checkpointed(r, lambda x, y: (x * y).exp().sin())),
        Entry(CHECKPOINT, [S(X, Y, label=f"pair{r}")], call=checkpointed(r, lambda x, y: (x * y, x.exp()))),
        Entry(CHECKPOINT, [S(X, 3, label=f"number{r}")], call=checkpointed(r, lambda x, k: x**k)),
        Entry(CHECKPOINT, [S(X, label=f"nested{r}")], call=nested(r)),
        *[
            Entry("utils.checkpoint.checkpoint_sequential", [S(X, label=f"{n}{r}")], call=in_segments(r, n))
            for n in (1, 2, 3, 5)
        ],
        Entry(
            CHECKPOINT, [], call=checkpointed(r, lambda x: x, nothing=1), errors=[S(X, label=f"keyword{r}")]
        ),
    )
] + [
    Entry(CHECKPOINT, [S(X, Y, label="penalty")], call=penalty),
    Entry(CHECKPOINT, [S(X, label="by name")], call=checkpointed(False, lambda x, k: x * k, k=3)),
]


# -- grad and backward -------------------------------------------------------------------------------------
def on_leaves(call: Any) -> Any:
    """For calls that use up the graph themselves: with inputs that require a gradient."""

    def wrapped(library: Any, target: Any, *args: Any) -> Any:
        return call(library, target, *[x.detach().requires_grad_() for x in args])

    return wrapped


def gradients(f: Any, **options: Any) -> Any:
    def call(library: Any, target: Any, *args: Any) -> Any:
        return target(f(*args), args, **options)

    return call


def batched(library: Any, target: Any, x: Any, y: Any, seeds: Any) -> Any:
    return target(x * y, [x, y], seeds.detach(), is_grads_batched=True)


def hooked(library: Any, target: Any, x: Any) -> Any:
    y = x * 2
    y.retain_grad()
    seen = []
    y.register_hook(lambda g: g * 3)
    handle = y.register_hook(lambda g: seen.append(g))
    gone = y.register_hook(lambda g: g * 100)
    gone.remove()
    (y * y).sum().backward(retain_graph=True)
    handle.remove()
    z = x * 1
    z.retain_grad()
    z.mul_(3)
    z.sum().backward()
    return [y.grad, seen[0], x.grad * 1, z.grad]


def on_nodes(library: Any, target: Any, x: Any) -> Any:
    y = x.exp()
    y.grad_fn.register_prehook(lambda out: (out[0] * 2,))
    y.grad_fn.register_hook(lambda into, out: (into[0] + out[0],))
    (g,) = library.autograd.grad(y.sum(), x)
    return g


def several(library: Any, target: Any, x: Any, y: Any) -> Any:
    seen = []
    a, b = x * 2, y * 3
    handle = target([a, b], lambda grads: seen.extend(0 * x if g is None else g for g in grads))
    (a * b).sum().backward(retain_graph=True)
    (a.exp()).sum().backward(retain_graph=True)
    handle.remove()
    (a * b).sum().backward()
    return [g.detach() for g in seen]


def packed(library: Any, target: Any, x: Any, y: Any) -> Any:
    with target(lambda t: t.detach() * 2, lambda t: t / 2):
        out = (x * y).exp()
    (g,) = library.autograd.grad(out.sum(), x, create_graph=True)
    return out.sin(), g


def on_cpu(library: Any, target: Any, x: Any) -> Any:
    with target():
        return (x * x).tanh()


def names_of(library: Any, target: Any, x: Any) -> Any:
    y = x * 2
    kinds = [type(n[0]).__name__ for n in y.grad_fn.next_functions]
    return y.grad_fn.name(), kinds, y.grad_fn.next_functions[0][0].variable is x, y.output_nr


GRAD = [
    Entry("autograd.grad", [S(A, B)], call=on_leaves(gradients(lambda x, y: energy(x, y))), grad=False),
    Entry("autograd.grad", [S(A, B, label="graph")], call=gradients(energy, create_graph=True)),
    Entry("autograd.grad", [S(A, B, label="unused")], grad=False,
          call=on_leaves(gradients(lambda x, y: (x * x).sum(), allow_unused=True))),
    Entry("autograd.grad", [S(A, B, label="zeros")], grad=False,
          call=on_leaves(gradients(lambda x, y: (x * x).sum(), materialize_grads=True))),
    Entry("autograd.grad", [S(A, B, floats(4, 2, 3), label="batched")], call=on_leaves(batched), grad=False),
    Entry("autograd.grad", [], call=gradients(lambda x, y: (x * x).sum()), errors=[S(A, B, label="unused")]),
    Entry("autograd.grad", [], call=gradients(lambda x: x * x), errors=[S(A, label="no number")]),
    Entry("autograd.grad", [], call=gradients(lambda x: x.detach()), errors=[S(A, label="no graph")]),
    Entry("autograd.grad", [], errors=[S(A, B, label="zeros")],
          call=gradients(lambda x, y: (x * x).sum(), materialize_grads=True, allow_unused=False)),
    Entry("Tensor.register_hook", [S(A)], call=on_leaves(hooked), layouts=("plain",), grad=False),
    Entry("autograd.graph.Node", [S(A)], call=on_leaves(on_nodes), grad=False),
    Entry("autograd.graph.Node", [S(A, label="names")], call=on_leaves(names_of), layouts=("plain",),
    grad=False), Entry("autograd.graph.register_multi_grad_hook", [S(A, B)], call=on_leaves(several),
    grad=False), Entry("autograd.graph.saved_tensors_hooks", [S(A, B)], call=packed),
    Entry("autograd.graph.save_on_cpu", [S(A)], call=on_cpu),
]  # fmt: skip

ENTRIES = [*FUNCTIONS, *FUNCTIONAL, *FUNC, *REFUSED, *CHECKPOINTS, *GRAD]

for _library in ("torch", "genesis"):  # what `found` reaches by attributes
    import_module(f"{_library}.utils.checkpoint")
