"""Embeddings, bilinear layers, containers, parameters, and what every module can do."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import numpy as np

from table._entry import Entry, Init, S, floats, integers, positive

F = "nn.functional."
ONE: dict[str, Any] = {"layouts": ("plain",), "dtypes": ("float32",), "grad": False}
TABLE = floats(6, 3)
BAG = np.array([1, 2, 4, 5, 4, 3, 2, 0])
# every index as often: PyTorch divides by the count of another index
TWICE = np.array([1, 2, 4, 5, 4, 1, 2, 5])
OFFSETS = np.array([0, 3, 3, 6])


def on_a_copy(library: Any, function: Any, index: Any, table: Any, *args: Any, **kwargs: Any) -> Any:
    """The table is changed in place by ``max_norm``: that shows in what comes back."""
    table = library.nn.Parameter(table.detach().clone())
    out = function(index, table, *args, **kwargs)
    (out * out).sum().backward()
    return [out.detach(), table.detach(), table.grad]


EMBEDDINGS = [
    Entry(
        F + "embedding",
        [
            S(integers(0, 6, 2, 3), TABLE),
            S(np.array(4), TABLE),
            S(integers(0, 6, 0), TABLE),
            S(integers(0, 6, 5, dtype="int32"), TABLE),
            S(np.array([1, 1, 2]), TABLE, 1),
            S(np.array([1, 1, 2]), TABLE, padding_idx=-5),
            S(np.array([1, 1, 2, 1]), TABLE, scale_grad_by_freq=True),
            S(np.array([[1, 1], [2, 0]]), TABLE, padding_idx=2, scale_grad_by_freq=True),
        ],
        errors=[
            S(floats(3), TABLE),
            S(np.array([6]), TABLE),
            S(np.array([-1]), TABLE),
            S(np.array([1]), TABLE, 6),
            S(np.array([1]), TABLE, -7),
            S(np.array([1]), floats(3)),
            S(np.array([1]), floats(3, 2, 2)),
        ],
    ),
    Entry(
        F + "embedding",
        [
            S(np.array([1, 1, 2]), TABLE, max_norm=0.5),
            S(np.array([1, 1, 2]), TABLE, None, 1.0, 1.0),
            S(np.array([[1, 4], [1, 2]]), TABLE, max_norm=0.5, norm_type=float("inf")),
            S(np.array([1, 3]), TABLE, max_norm=100.0),
            S(integers(0, 6, 0), TABLE, max_norm=0.1),
        ],
        call=on_a_copy,
        grad=False,
    ),
    *[
        Entry(
            F + "embedding_bag",
            [
                S(BAG, TABLE, OFFSETS, mode=mode),
                S(BAG.reshape(2, 4), TABLE, mode=mode),
                S(BAG, TABLE, np.array([0, 3, 6, 8]), mode=mode, include_last_offset=True),
                S(BAG, TABLE, OFFSETS, mode=mode, padding_idx=4),
                S(BAG.reshape(4, 2), TABLE, mode=mode, padding_idx=-2),
                S(np.array([4, 4]), TABLE, np.array([0, 1]), mode=mode, padding_idx=4),
                S(BAG[:0], TABLE, np.array([0, 0]), mode=mode),
                S(BAG.astype("int32"), TABLE, OFFSETS.astype("int32"), mode=mode),
            ],
        )
        for mode in ("sum", "mean", "max")
    ],
    Entry(
        F + "embedding_bag",
        [
            S(BAG, TABLE, OFFSETS),
            S(BAG, TABLE, OFFSETS, mode="sum", per_sample_weights=positive(8)),
            S(BAG.reshape(2, 4), TABLE, mode="sum", per_sample_weights=positive(2, 4)),
            S(BAG, TABLE, OFFSETS, mode="sum", per_sample_weights=positive(8), padding_idx=2),
            S(TWICE, TABLE, OFFSETS, scale_grad_by_freq=True),
            S(TWICE, TABLE, OFFSETS, scale_grad_by_freq=True, mode="sum"),
        ],
        errors=[
            S(BAG, TABLE, np.array([1, 2])),
            S(BAG, TABLE, np.array([0, 9])),
            S(BAG, TABLE),
            S(BAG.reshape(2, 4), TABLE, OFFSETS),
            S(BAG, TABLE, OFFSETS, mode="median"),
            S(BAG, TABLE, OFFSETS, per_sample_weights=positive(8)),
            S(BAG, TABLE, OFFSETS, mode="sum", per_sample_weights=positive(7)),
            S(floats(8), TABLE, OFFSETS),
            S(BAG.reshape(2, 2, 2), TABLE),
            S(BAG, TABLE, OFFSETS.reshape(2, 2)),
            S(BAG, floats(6), OFFSETS),
            S(BAG, TABLE, OFFSETS, mode="max", scale_grad_by_freq=True),
            S(BAG, TABLE, OFFSETS, padding_idx=6),
            S(BAG, TABLE, BAG[:0], include_last_offset=True),
        ],
    ),
    Entry(
        F + "embedding_bag",
        [S(BAG, TABLE, OFFSETS, 0.5), S(BAG.reshape(2, 4), TABLE, max_norm=0.5, norm_type=1.0, mode="sum")],
        call=on_a_copy,
        grad=False,
    ),
    Entry(
        "nn.Embedding",
        [
            S(Init(6, 3), integers(0, 6, 2, 3)),
            S(Init(6, 3, padding_idx=2), np.array([2, 1])),
            S(Init(6, 3, -1), np.array([5, 1])),
            S(Init(6, 3, max_norm=0.5), np.array([2, 1])),
            S(Init(6, 3, None, 0.7, 1.0), np.array([[2], [1]])),
            S(Init(6, 3, scale_grad_by_freq=True), np.array([2, 1, 1])),
        ],
        errors=[S(Init(6, 3, 6), np.array([1])), S(Init(6, 3), np.array([6])), S(Init(6, 3), floats(2))],
    ),
    Entry(
        "nn.EmbeddingBag",
        [
            S(Init(6, 3), BAG, OFFSETS),
            S(Init(6, 3, mode="sum"), BAG.reshape(2, 4)),
            S(Init(6, 3, mode="max"), BAG, OFFSETS),
            S(Init(6, 3, mode="sum", padding_idx=4), BAG, OFFSETS),
            S(Init(6, 3, include_last_offset=True), BAG, np.array([0, 3, 8])),
            S(Init(6, 3, max_norm=0.4, mode="sum"), BAG, OFFSETS),
            S(Init(6, 3, mode="sum"), BAG, OFFSETS, positive(8)),
        ],
        errors=[S(Init(6, 3, mode="sum", padding_idx=7), BAG, OFFSETS), S(Init(6, 3), BAG)],
    ),
    *[
        Entry(f"nn.{name}", [S(Init(*a, **k))], call=lambda library, layer: repr(layer), **ONE)
        for name, a, k in (
            ("Embedding", (6, 3), {}),
            ("Embedding", (6, 3, -1, 2.0, 1.0, True), {}),
            ("EmbeddingBag", (6, 3), {}),
            ("EmbeddingBag", (6, 3, 2.0, 1.0, True, "sum"), {"padding_idx": 1}),
            ("Bilinear", (2, 3, 4), {}),
            ("Bilinear", (2, 3, 4, False), {}),
            ("Identity", (), {}),
            ("Identity", (54, "anything"), {"x": 1}),
        )
    ],
]
PRETRAINED = [
    Entry(
        f"nn.{name}.from_pretrained",
        [S(TABLE, **options)],
        call=lambda library, make, table, index=index, **kwargs: (
            lambda layer: [
                layer(*[library.tensor(i) for i in index]).detach(),
                layer.weight.requires_grad,
                repr(layer),
                layer.padding_idx,
            ]
        )(make(table.detach().clone(), **kwargs)),
        errors=[S(floats(3))],
        **ONE,
    )
    for name, index, options in (
        ("Embedding", ([1, 2],), {}),
        ("Embedding", ([1, 2],), {"freeze": False, "padding_idx": -1}),
        ("Embedding", ([1, 2],), {"max_norm": 0.5, "norm_type": 1.0, "scale_grad_by_freq": True}),
        ("EmbeddingBag", ([[1, 2]],), {}),
        ("EmbeddingBag", ([[1, 2]],), {"mode": "sum", "freeze": False, "padding_idx": 2}),
    )
]
BILINEAR = [
    Entry(
        F + "bilinear",
        [
            S(floats(2, 3), floats(2, 4), floats(5, 3, 4), floats(5)),
            S(floats(2, 6, 3), floats(2, 6, 4), floats(5, 3, 4)),
            S(floats(3), floats(4), floats(5, 3, 4)),
            S(floats(0, 3), floats(0, 4), floats(5, 3, 4), floats(5)),
            S(floats(2, 3), floats(2, 4), floats(1, 3, 4), bias=floats(1)),
        ],
        errors=[
            S(floats(2, 3), floats(3, 4), floats(5, 3, 4)),
            S(floats(2, 2), floats(2, 4), floats(5, 3, 4)),
            S(floats(2, 3), floats(2, 4), floats(5, 3, 4), floats(4)),
            S(floats(2, 3), floats(4), floats(5, 3, 4)),
        ],
    ),
    Entry(
        "nn.Bilinear",
        [
            S(Init(3, 4, 5), floats(2, 3), floats(2, 4)),
            S(Init(3, 4, 2, bias=False), floats(2, 2, 3), floats(2, 2, 4)),
        ],
        errors=[S(Init(0, 2, 3), floats(2, 3), floats(2, 3))],
    ),
    Entry("nn.Identity", [S(Init(), floats(2, 3)), S(Init(1, a=2), floats(3))]),
]


# -- modules -----------------------------------------------------------------------------------------------
def network(library: Any) -> Any:
    nn = library.nn
    net = nn.Sequential(
        OrderedDict(first=nn.Linear(3, 4), act=nn.ReLU(), last=nn.Sequential(nn.Linear(4, 2)))
    )
    with library.no_grad():
        for i, p in enumerate(net.parameters()):
            values = np.cos(np.arange(p.numel()) + i).reshape(tuple(p.shape)).astype("float32")
            p.copy_(library.tensor(values))
    return net


def about(step: Any) -> Any:
    """Calls ``step(library, net, x)`` on the same small network of both libraries."""
    return lambda library, function, x: step(library, network(library), x.detach())


def hook_order(library: Any, net: Any, x: Any) -> Any:
    seen: list[Any] = []
    x = x.requires_grad_()

    def note(name: str) -> Any:
        return lambda *args: seen.append((name, len(args)))

    net.register_forward_pre_hook(note("pre"))
    net.register_forward_pre_hook(note("pre kwargs"), with_kwargs=True, prepend=True)
    net.register_forward_hook(note("post"))
    net.register_forward_hook(note("post first"), prepend=True)
    net.register_forward_hook(note("post kwargs"), with_kwargs=True)
    handle = net.register_forward_hook(note("removed"))
    net.register_full_backward_hook(note("backward"))
    net.register_full_backward_pre_hook(note("backward pre"))
    net.first.register_full_backward_hook(note("first backward"))
    handle.remove()
    net(x).sum().backward()
    return [str(s) for s in seen]


def hooks_that_change(library: Any, net: Any, x: Any) -> Any:
    x = x.requires_grad_()
    net.register_forward_pre_hook(lambda m, args: args[0] * 2)
    net.register_forward_hook(lambda m, args, out: out * 3)
    net.register_full_backward_pre_hook(lambda m, grad: (grad[0] * 5,))
    net.register_full_backward_hook(lambda m, gi, go: (gi[0] + go[0].sum(),))
    net(x).sum().backward()
    return [x.grad, [p.grad for p in net.parameters()]]


def always_called(library: Any, net: Any, x: Any) -> Any:
    seen: list[Any] = []
    net.register_forward_hook(lambda m, a, out: seen.append(out is None), always_call=True)
    net.register_forward_hook(lambda m, a, out: seen.append("not called"))
    try:
        net(x[:, :2])
    except RuntimeError:
        seen.append("error")
    return [str(s) for s in seen]


def global_hooks(library: Any, net: Any, x: Any) -> Any:
    module = library.nn.modules.module
    seen: list[str] = []
    handles = [
        module.register_module_forward_pre_hook(lambda m, args: seen.append(f"pre {type(m).__name__}")),
        module.register_module_forward_hook(lambda m, args, out: seen.append(f"post {type(m).__name__}")),
        module.register_module_full_backward_hook(lambda m, gi, go: seen.append(f"back {type(m).__name__}")),
        module.register_module_full_backward_pre_hook(
            lambda m, go: seen.append(f"back pre {type(m).__name__}")
        ),
    ]
    try:
        net(x.requires_grad_()).sum().backward()
    finally:  # they are everybody's
        for handle in handles:
            handle.remove()
    net(x)
    return seen


def registrations(library: Any, net: Any, x: Any) -> Any:
    module = library.nn.modules.module
    seen: list[str] = []
    handles = [
        module.register_module_parameter_registration_hook(lambda m, n, p: seen.append(f"parameter {n}")),
        module.register_module_buffer_registration_hook(lambda m, n, p: seen.append(f"buffer {n}")),
        module.register_module_module_registration_hook(lambda m, n, p: seen.append(f"module {n}")),
    ]
    try:
        m = library.nn.Module()
        m.a = library.nn.Parameter(x)
        m.b = library.nn.ReLU()
        m.register_buffer("c", x)
        m.d = library.nn.Buffer(x, persistent=False)
        m.add_module("e", library.nn.Tanh())
    finally:
        for handle in handles:
            handle.remove()
    return [seen, list(m.state_dict()), [n for n, _ in m.named_buffers()]]


def extra_state(library: Any, net: Any, x: Any) -> Any:
    class Counting(library.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    one, two = (library.nn.Sequential(Counting(), library.nn.Linear(1, 1)) for _ in range(2))
    one[0].count = 7
    state = one.state_dict()
    result = two.load_state_dict(state)
    del state["0._extra_state"]
    return [
        list(one.state_dict()),
        two[0].count,
        str(result),
        list(two.load_state_dict(state, strict=False).missing_keys),
    ]


def walking(library: Any, net: Any, x: Any) -> Any:
    net.twice = net.first
    return [
        [n for n, _ in net.named_parameters()],
        [n for n, _ in net.named_parameters(remove_duplicate=False)],
        [n for n, _ in net.named_parameters("p", recurse=False)],
        [n for n, _ in net.named_modules()],
        [n for n, _ in net.named_modules(remove_duplicate=False)],
        [n for n, _ in net.named_modules(prefix="m")],
        [n for n, _ in net.named_children()],
        len(list(net.modules())),
        len(list(net.children())),
        repr(net),
        type(net.get_submodule("last.0")).__name__,
        net.get_parameter("last.0.bias").detach(),
        len(list(net.parameters())),
        list(net.state_dict(prefix="a.")),
        [n for n, _ in net.named_buffers()],
        list(net.state_dict()._metadata.items()),
    ]


def changing(library: Any, net: Any, x: Any) -> Any:
    net.set_submodule("last.0", library.nn.Identity())
    net.set_submodule("act", library.nn.Tanh())
    net.register_module("more", library.nn.Flatten())
    double = net.type(library.float64)
    empty = copy.deepcopy(net).to_empty(device="cpu")
    net.requires_grad_(False)
    out = [
        repr(net),
        double is net,
        str(net.first.weight.dtype).split(".")[-1],
        list(empty.first.weight.shape),
    ]
    net.compile()
    net.share_memory()
    net.float().train(False).apply(lambda m: out.append(type(m).__name__))
    return [*out, net.training, net.first.weight.requires_grad, net(x).detach()]


def gradients(library: Any, net: Any, x: Any) -> Any:
    net(x).sum().backward()
    net.zero_grad(set_to_none=False)
    zeros = [p.grad for p in net.parameters()]
    net.zero_grad()
    return [zeros, [p.grad for p in net.parameters()]]


def names_and_errors(library: Any, net: Any, x: Any) -> Any:
    """The kinds of error of wrong uses."""
    nn = library.nn
    m = nn.Module()
    m.p = nn.Parameter(x)
    m.child = nn.ReLU()
    m.register_buffer("b", x)
    tries = {
        "dot": lambda: m.register_parameter("a.b", None),
        "empty": lambda: m.register_buffer("", x),
        "taken": lambda: m.register_buffer("p", x),
        "no tensor": lambda: m.register_buffer("q", 1),
        "no parameter": lambda: m.register_parameter("q", x),
        "no module": lambda: m.add_module("q", 1),
        "assign": lambda: setattr(m, "p", 1),
        "assign child": lambda: setattr(m, "child", 1),
        "assign buffer": lambda: setattr(m, "b", 1),
        "attribute": lambda: m.nothing,
        "submodule": lambda: m.get_submodule("x.y"),
        "parameter": lambda: m.get_parameter("child"),
        "buffer": lambda: m.get_buffer("p"),
        "call": lambda: m(x),
        "train": lambda: m.train("yes"),
        "to": lambda: m.to(library.int64),
        "load": lambda: m.load_state_dict([]),
        "missing": lambda: m.load_state_dict({}),
        "set": lambda: m.set_submodule("", nn.ReLU()),
        "set no module": lambda: m.set_submodule("child", 1),
        "set other": lambda: m.set_submodule("p", nn.ReLU()),
        "set strict": lambda: m.set_submodule("new", nn.ReLU(), strict=True),
        "name": lambda: m.register_module(1, nn.ReLU()),
        "extra": lambda: m.get_extra_state(),
        "list": lambda: nn.ModuleList([nn.ReLU()])[1],
        "dict": lambda: nn.ModuleDict()["a"],
        "list of": lambda: nn.ModuleList([1]),
        "sequential": lambda: nn.Sequential(1),
        "parameter list": lambda: nn.ParameterList([x])[1],
        "call list": lambda: nn.ModuleList()(x),
        "call parameters": lambda: nn.ParameterList()(x),
        "delete": lambda: delattr(m, "z"),
        "super": lambda: type("A", (nn.Module,), {"__init__": lambda self: setattr(self, "l", nn.ReLU())})(),
    }
    kinds = (
        KeyError,
        IndexError,
        NotImplementedError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,
        AssertionError,
    )
    said = []
    for name, run in tries.items():
        try:
            run()
            said.append(f"{name}: fine")
        except Exception as error:
            said.append(f"{name}: {next(k.__name__ for k in kinds if isinstance(error, k))}")
    return said


def containers(library: Any, net: Any, x: Any) -> Any:
    nn = library.nn
    seq = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    seq.append(nn.Tanh()).extend([nn.Sigmoid(), nn.GELU()])
    seq.insert(1, nn.SiLU())
    seq[0] = nn.Identity()
    popped = seq.pop(-1)
    del seq[1]
    out = [
        repr(seq),
        repr(popped),
        repr(seq[1:]),
        repr(seq + nn.Sequential(nn.ELU())),
        repr(seq * 2),
        len(seq),
        repr(seq[-1]),
    ]
    items = nn.ModuleList([nn.ReLU() for _ in range(3)])
    items += [nn.Linear(1, 1)]
    items.insert(1, nn.Tanh())
    items[0] = nn.ELU()
    del items[-1]
    out += [
        repr(items),
        repr(items[1:]),
        repr(items + nn.ModuleList([nn.GELU()])),
        len(items),
        items[1] in items,
        repr(items.pop(0)),
    ]
    names = nn.ModuleDict({"a": nn.ReLU()})
    names.update([("b", nn.Tanh()), ("c", nn.ELU())])
    names["d"] = nn.GELU()
    del names["a"]
    out += [repr(names), list(names), list(names.keys()), repr(names.pop("b")), "c" in names, len(names)]
    return [*out, [k for k, _ in names.items()]]


def parameter_containers(library: Any, net: Any, x: Any) -> Any:
    nn = library.nn
    items = nn.ParameterList([x, nn.Parameter(x * 2), "text"])
    items.append(x * 3)
    items += [x]
    items[0] = x * 7
    names = nn.ParameterDict({"b": x, "a": x * 2})
    names["z"] = x * 3
    names.update({"k": x})
    more = names | nn.ParameterDict({"q": x})
    popped = names.pop("a")
    last = names.popitem()[0]
    names.setdefault("new", x)
    return [
        len(items),
        [n for n, _ in items.named_parameters()],
        items[0].detach(),
        items[2],
        len(items[1:3]),
        items[-1].requires_grad,
        [type(p).__name__ for p in items],
        list(names),
        list(more),
        popped.detach(),
        last,
        names.get("none", 3),
        list(reversed(names)),
        [n for n, _ in names.named_parameters()],
        list(names.state_dict()),
        list(items.state_dict()),
        "z" in names,
        len(names.copy()),
        list(names.fromkeys(["x", "y"], 1).items()),
    ]


def parameters(library: Any, net: Any, x: Any) -> Any:
    p = library.nn.Parameter(x)
    q = copy.deepcopy(p)
    with library.no_grad():
        q.mul_(2)
    frozen = library.nn.Parameter(x, requires_grad=False)
    whole = library.nn.Parameter(x.long(), requires_grad=False)
    place = library.nn.parameter.Parameter
    return [
        p.requires_grad,
        type(q).__name__,
        q.requires_grad,
        p.detach(),
        q.detach(),
        frozen.requires_grad,
        repr(p).split("\n")[0],
        isinstance(p, library.Tensor),
        type(p * 1).__name__,
        p.is_leaf,
        str(whole.dtype).split(".")[-1],
        place is library.nn.Parameter,
        isinstance(x, place),
        list(library.nn.Parameter(library.ones(2, 3)).shape),
        type(p.data).__name__,
        type(p.detach()).__name__,
    ]


MODULES = [
    Entry("nn.Module", [S(floats(2, 3), label=step.__name__)], call=about(step), **ONE)
    for step in (
        hook_order,
        hooks_that_change,
        always_called,
        global_hooks,
        registrations,
        extra_state,
        walking,
        changing,
        gradients,
        names_and_errors,
        containers,
        parameter_containers,
        parameters,
    )
]
ENTRIES = [*EMBEDDINGS, *PRETRAINED, *BILINEAR, *MODULES]
