"""nn beside PyTorch: the same weights and inputs give the same values, gradients and module tree."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

import genesis
from genesis import nn

pytestmark = pytest.mark.parity

# Both sides compute the same formulas, but sum in another order and have their own exp and tanh. That is
# worth a few ulps of the largest term: 1.2e-7 each in float32, 2.2e-16 in float64. Sums have up to 60 terms.
TOLERANCE = {
    "float32": {"rtol": 1e-5, "atol": 2e-6},
    "float64": {"rtol": 1e-11, "atol": 1e-13},
}

rng = np.random.default_rng(0)


def normal(*shape):
    return rng.normal(size=shape)


def probabilities(*shape):
    x = rng.random(shape)
    return x / x.sum(1, keepdims=True)


X = normal(6, 5)
IMAGE = normal(2, 5, 3, 2)
CLASSES = rng.integers(0, 5, 6)
PIXELS = rng.integers(0, 5, (2, 3, 2))
INDEX = rng.integers(0, 7, (3, 4))
BITS = (rng.random((6, 5)) > 0.5).astype(float)
WEIGHT = rng.random(5) + 0.5

# name: (layer from a namespace, inputs); arrays of floats get the dtype of the case, and gradients.
LAYERS = {
    "linear": (lambda nn: nn.Linear(5, 3), [X]),
    "linear without bias, 3-d": (lambda nn: nn.Linear(2, 4, bias=False), [IMAGE]),
    "linear, a vector": (lambda nn: nn.Linear(5, 3), [X[0]]),
    "identity": (lambda nn: nn.Identity(), [X]),
    "relu": (lambda nn: nn.ReLU(), [X]),
    "gelu": (lambda nn: nn.GELU(), [X * 3]),
    "gelu tanh": (lambda nn: nn.GELU(approximate="tanh"), [X * 3]),
    "silu": (lambda nn: nn.SiLU(), [X * 3]),
    "tanh": (lambda nn: nn.Tanh(), [X * 3]),
    "sigmoid": (lambda nn: nn.Sigmoid(), [X * 3]),
    "leaky relu": (lambda nn: nn.LeakyReLU(0.2), [X]),
    "elu": (lambda nn: nn.ELU(1.3), [X * 3]),
    "softplus": (lambda nn: nn.Softplus(2.0, 3.0), [X * 3]),
    "softmax": (lambda nn: nn.Softmax(dim=1), [IMAGE]),
    "softmax, last": (lambda nn: nn.Softmax(-1), [X]),
    "log softmax": (lambda nn: nn.LogSoftmax(dim=0), [X]),
    "layer norm": (lambda nn: nn.LayerNorm(5), [X]),
    "layer norm, two dimensions": (lambda nn: nn.LayerNorm((3, 2), eps=1e-3), [IMAGE]),
    "layer norm without bias": (lambda nn: nn.LayerNorm(5, bias=False), [X]),
    "layer norm, plain": (lambda nn: nn.LayerNorm(5, elementwise_affine=False), [X]),
    "embedding": (lambda nn: nn.Embedding(7, 3), [INDEX]),
    "embedding, padded": (lambda nn: nn.Embedding(7, 3, padding_idx=2), [INDEX]),
    "dropout, eval": (lambda nn: nn.Dropout(0.5).eval(), [X]),
    "flatten": (lambda nn: nn.Flatten(), [IMAGE]),
    "flatten, middle": (lambda nn: nn.Flatten(1, 2), [IMAGE]),
    "unflatten": (lambda nn: nn.Unflatten(1, (5, 1)), [X]),
    "mlp": (lambda nn: nn.Sequential(nn.Linear(5, 8), nn.ReLU(inplace=True), nn.Linear(8, 2)), [X]),
}

LOSSES = {
    "mse": (lambda nn, w, r: nn.MSELoss(reduction=r), [X, X[::-1].copy()]),
    "l1": (lambda nn, w, r: nn.L1Loss(reduction=r), [X, X[::-1].copy()]),
    "cross entropy": (lambda nn, w, r: nn.CrossEntropyLoss(reduction=r), [X, CLASSES]),
    "cross entropy, all options": (
        lambda nn, w, r: nn.CrossEntropyLoss(w, ignore_index=1, reduction=r, label_smoothing=0.2),
        [X, CLASSES],
    ),
    "cross entropy, pixels": (lambda nn, w, r: nn.CrossEntropyLoss(w, reduction=r), [IMAGE, PIXELS]),
    "cross entropy, pixels smoothed": (
        lambda nn, w, r: nn.CrossEntropyLoss(w, ignore_index=2, reduction=r, label_smoothing=0.1),
        [IMAGE, PIXELS],
    ),
    "cross entropy, one example": (lambda nn, w, r: nn.CrossEntropyLoss(reduction=r), [X[0], CLASSES[0]]),
    "cross entropy, probabilities": (
        lambda nn, w, r: nn.CrossEntropyLoss(w, reduction=r, label_smoothing=0.1),
        [X, probabilities(6, 5)],
    ),
    "cross entropy, probabilities of pixels": (
        lambda nn, w, r: nn.CrossEntropyLoss(reduction=r),
        [IMAGE, probabilities(2, 5, 3, 2)],
    ),
    "nll": (lambda nn, w, r: nn.NLLLoss(reduction=r), [X, CLASSES]),
    "nll, all options": (lambda nn, w, r: nn.NLLLoss(w, ignore_index=3, reduction=r), [X, CLASSES]),
    "nll, pixels": (lambda nn, w, r: nn.NLLLoss(reduction=r), [IMAGE, PIXELS]),
    "bce with logits": (lambda nn, w, r: nn.BCEWithLogitsLoss(reduction=r), [X * 4, BITS]),
    "bce with logits, weighted": (
        lambda nn, w, r: nn.BCEWithLogitsLoss(w, reduction=r, pos_weight=w * 2),
        [X * 4, BITS],
    ),
}


def both(array, dtype, device, grad=True):
    """The same array as a tensor of ours and of PyTorch's."""
    array = np.asarray(array)
    floating = array.dtype.kind == "f"
    array = array.astype(dtype) if floating else array
    ours = genesis.tensor(array, device=device)
    theirs = torch.tensor(array)
    if floating and grad:
        ours.requires_grad_()
        theirs.requires_grad_()
    return ours, theirs


def check(ours, theirs, dtype, what):
    assert (ours is None) == (theirs is None), what
    if ours is not None:
        assert str(ours.dtype).removeprefix("genesis.") == str(theirs.dtype).removeprefix("torch.")
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), **TOLERANCE[dtype], err_msg=what
        )


def compare(ours, theirs, inputs, dtype):
    """Forward, a backward from a gradient that differs in every element, and all gradients."""
    out, expected = ours(*[a for a, _ in inputs]), theirs(*[b for _, b in inputs])
    check(out, expected, dtype, "output")
    if expected.requires_grad:
        seed = np.linspace(-1, 2, expected.numel()).reshape(expected.shape).astype(dtype)
        out.backward(genesis.tensor(seed, device=out.device))
        expected.backward(torch.tensor(seed))
    for i, (a, b) in enumerate(inputs):
        check(a.grad, b.grad, dtype, f"gradient of input {i}")
    for (name, a), (twin, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == twin
        check(a.grad, b.grad, dtype, f"gradient of {name}")


def same_weights(ours, theirs, device):
    ours.load_state_dict(
        {key: genesis.tensor(value.numpy(), device=device) for key, value in theirs.state_dict().items()}
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", LAYERS)
def test_layer(device, name, dtype):
    make, arrays = LAYERS[name]
    ours = make(nn).to(device, getattr(genesis, dtype))
    theirs = make(torch.nn).to(getattr(torch, dtype))
    for parameter in theirs.parameters():  # weights of 1 and biases of 0 would hide mistakes
        torch.nn.init.normal_(parameter)
    same_weights(ours, theirs, device)
    compare(ours, theirs, [both(a, dtype, device) for a in arrays], dtype)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss(device, name, reduction, dtype):
    make, arrays = LOSSES[name]
    ours_weight, their_weight = both(WEIGHT, dtype, device, grad=False)
    ours, theirs = make(nn, ours_weight, reduction), make(torch.nn, their_weight, reduction)
    inputs = [both(a, dtype, device) for a in arrays]
    compare(ours, theirs, inputs, dtype)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 1.5])
def test_normalize(device, p):
    ours, theirs = both(X, "float64", device)
    for dim in (0, 1):
        out = nn.functional.normalize(ours, p=p, dim=dim)
        expected = torch.nn.functional.normalize(theirs, p=p, dim=dim)
        check(out, expected, "float64", "output")
        seed = np.linspace(-1, 2, expected.numel()).reshape(expected.shape)
        out.backward(genesis.tensor(seed, device=device))
        expected.backward(torch.tensor(seed))
    check(ours.grad, theirs.grad, "float64", "gradient")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    "options", [{}, {"is_causal": True}, {"scale": 0.3}, {"mask": "bool"}, {"mask": "float"}], ids=str
)
def test_attention(device, dtype, options):
    shapes = [(2, 3, 4, 8), (2, 3, 6, 8), (2, 3, 6, 5)]
    inputs = [both(normal(*s), dtype, device) for s in shapes]
    ours, theirs = dict(options), dict(options)
    kind = options.get("mask")
    if kind:
        mask = rng.random((4, 6)) > 0.3
        mask[:, 0] = True
        for side, tensor in zip(
            (ours, theirs), both(mask if kind == "bool" else normal(4, 6), dtype, device), strict=True
        ):
            del side["mask"]
            side["attn_mask"] = tensor
    out = nn.functional.scaled_dot_product_attention(*[a for a, _ in inputs], **ours)
    expected = torch.nn.functional.scaled_dot_product_attention(*[b for _, b in inputs], **theirs)
    check(out, expected, dtype, "output")
    (out * out).sum().backward()
    (expected * expected).sum().backward()
    for (a, b), name in zip(inputs, ("query", "key", "value"), strict=True):
        check(a.grad, b.grad, dtype, f"gradient of the {name}")


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, float("inf")])
def test_clip_grad_norm(device, order):
    arrays = [normal(3, 4), normal(5), normal(2, 2, 2)]
    pairs = [both(a, "float64", device) for a in arrays]
    for a, b in pairs:
        (a * a * a).sum().backward()
        (b * b * b).sum().backward()
    total = nn.utils.clip_grad_norm_([a for a, _ in pairs], 0.7, order)
    expected = torch.nn.utils.clip_grad_norm_([b for _, b in pairs], 0.7, order)
    # PyTorch, too, takes the norm of the norms rather than one long sum: a few ulps apart
    assert total.item() == pytest.approx(expected.item(), rel=1e-12)
    for a, b in pairs:
        check(a.grad, b.grad, "float64", "clipped gradient")


# The module tree


def build(nn):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(4)
            self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 3, bias=False)})

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(9, 4)
            self.blocks = nn.ModuleList([Block(), Block()])
            self.mlp = nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Dropout(0.1))
            self.out = nn.Linear(4, 9, bias=False)
            self.out.weight = self.embed.weight
            self.again = self.mlp

    return Net()


def test_trees_have_the_same_names_and_repr(device):
    ours, theirs = build(nn).to(device), build(torch.nn)
    for method in ("named_parameters", "named_modules", "named_children"):
        assert [n for n, _ in getattr(ours, method)()] == [n for n, _ in getattr(theirs, method)()], method
    everything = {"remove_duplicate": False}
    for method in ("named_parameters", "named_modules"):
        assert [n for n, _ in getattr(ours, method)(**everything)] == [
            n for n, _ in getattr(theirs, method)(**everything)
        ]
    assert list(ours.state_dict(prefix="x.")) == list(theirs.state_dict(prefix="x."))
    assert repr(ours) == repr(theirs)


def test_load_state_dict_reports_the_same_keys(device):
    ours, theirs = build(nn).to(device), build(torch.nn)
    keys = [k for k in theirs.state_dict() if not k.startswith("blocks.1.norm")]
    state = {k: theirs.state_dict()[k] for k in keys} | {
        "blocks.7.x": torch.ones(1),
        "mlp.1.w": torch.ones(1),
    }
    mine = {k: genesis.tensor(v.numpy(), device=device) for k, v in state.items()}
    found, expected = ours.load_state_dict(mine, strict=False), theirs.load_state_dict(state, strict=False)
    assert found.missing_keys == expected.missing_keys
    assert found.unexpected_keys == expected.unexpected_keys


@pytest.mark.parametrize(
    "name",
    sorted(
        set(nn.__all__)
        - {"functional", "init", "modules", "parameter", "utils", "Module", "Parameter"}
        - {"SyncBatchNorm"}  # refuses whatever it is given
    ),
)
def test_constructors_take_the_same_arguments(name):
    ours, theirs = inspect.signature(getattr(nn, name)), inspect.signature(getattr(torch.nn, name))
    gathered = {"args", "arg", "kwargs"}  # *args by any name take what is given
    if set(theirs.parameters) <= gathered:
        return
    assert [p for p in ours.parameters if p not in gathered] == [
        p for p in theirs.parameters if p not in gathered
    ]
    for parameter in ours.parameters.values():
        if parameter.name in theirs.parameters:
            default, expected = parameter.default, theirs.parameters[parameter.name].default
            if inspect.isfunction(expected):
                default, expected = default.__name__, expected.__name__
            assert default == expected, parameter.name


@pytest.mark.parametrize("module", ["functional", "init"])
def test_functions_take_the_same_arguments(module):
    ours, theirs = getattr(nn, module), getattr(torch.nn, module)
    theirs = torch.nn.functional if module == "functional" else torch.nn.init
    names = [
        n for n, f in vars(ours).items() if inspect.isfunction(f) and f.__module__.startswith(ours.__name__)
    ]
    compared = 0
    for name in names:
        if name.startswith("_") or not hasattr(theirs, name):
            continue
        try:
            expected = list(inspect.signature(getattr(theirs, name)).parameters)
        except ValueError:  # some of PyTorch's are builtins without a signature
            continue
        if expected == ["args", "kwargs"]:
            continue
        arguments = list(inspect.signature(getattr(ours, name)).parameters)
        assert arguments == expected[: len(arguments)], name
        compared += 1
    assert compared >= 10


# What PyTorch's Module has and ours has not. A name leaves this list when it is built.
MISSING = {"T_destination", "dump_patches"}


def test_what_module_lacks():
    def public(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(torch.nn.Module) - public(nn.Module) == MISSING
    assert public(nn.Module) <= public(torch.nn.Module)
