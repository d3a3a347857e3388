"""Random numbers: the same on every device, reproducible, and distributed as they say."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import genesis
from genesis.backend import philox

DRAWS = {
    "rand": lambda **o: genesis.rand(3, 5, **o),
    "randn": lambda **o: genesis.randn(3, 5, **o),
    "randint": lambda **o: genesis.randint(-3, 10, (3, 5), **o),
    "randperm": lambda **o: genesis.randperm(20, **o),
    "normal": lambda **o: genesis.normal(1.0, 2.0, (4,), **o),
    "bernoulli": lambda **o: genesis.full((9,), 0.4).bernoulli(**o),
    "multinomial": lambda **o: genesis.tensor([1.0, 2.0, 3.0]).multinomial(5, True, **o),
    "without replacement": lambda **o: genesis.tensor([[1.0, 2.0, 3.0]] * 2).multinomial(2, **o),
    "uniform_": lambda **o: genesis.empty(4).uniform_(-1, 3, **o),
    "normal_": lambda **o: genesis.empty(4).normal_(5, 0.1, **o),
}


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_numbers_as_the_reference(device, name):
    genesis.manual_seed(12)
    mine = [DRAWS[name]().tolist() for _ in range(2)]
    genesis.set_default_device("ref")
    genesis.manual_seed(12)
    reference = [DRAWS[name]().tolist() for _ in range(2)]
    # whole numbers and uniform ones are exact; a logarithm and a cosine may differ in the last bit
    exact = name not in ("randn", "normal", "normal_")
    np.testing.assert_allclose(mine, reference, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)
    assert mine[0] != mine[1]


@pytest.mark.parametrize("name", DRAWS)
def test_generators(device, name):
    g = genesis.Generator().manual_seed(5)
    first = DRAWS[name](generator=g).tolist()
    state = g.get_state()
    second = DRAWS[name](generator=g).tolist()
    g.set_state(state)
    assert DRAWS[name](generator=g).tolist() == second
    assert DRAWS[name](generator=genesis.Generator().manual_seed(5)).tolist() == first
    genesis.manual_seed(5)
    assert DRAWS[name]().tolist() == first  # the global generator is one like any other


def test_the_global_state(device):
    assert genesis.manual_seed(3).initial_seed() == 3 == genesis.initial_seed()
    genesis.rand(3)
    state = genesis.get_rng_state()
    expected = genesis.rand(4).tolist()
    genesis.set_rng_state(state)
    assert genesis.rand(4).tolist() == expected
    first, second = genesis.seed(), genesis.seed()
    assert first != second
    assert genesis.initial_seed() == second


@pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1, -1])
def test_any_seed_survives_its_state(device, seed):
    g = genesis.Generator().manual_seed(seed)
    other = genesis.Generator()
    other.set_state(g.get_state())
    assert other.initial_seed() == g.initial_seed() == seed % 2**64
    assert genesis.rand(2, generator=g).tolist() == genesis.rand(2, generator=other).tolist()


def test_a_state_that_is_none(device):
    with pytest.raises(ValueError, match="state of a Generator"):
        genesis.Generator().set_state(genesis.tensor([1, 2, 3, 4]))


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_a_copied_generator_goes_its_own_way(device, clone):
    g = genesis.Generator().manual_seed(1)
    genesis.rand(3, generator=g)
    twin = clone(g)
    expected = genesis.rand(3, generator=g).tolist()
    assert genesis.rand(3, generator=twin).tolist() == expected


def test_numbers_do_not_repeat_between_draws(device):
    # normal numbers take two words each; the next draw must not use them again
    genesis.manual_seed(0)
    words = [genesis.randint(0, 2**32, (64,)).tolist()]
    genesis.randn(64)
    words.append(genesis.randint(0, 2**32, (64,)).tolist())
    genesis.manual_seed(0)
    everything = genesis.randint(0, 2**32, (256,)).tolist()
    assert words[0] == everything[:64]
    assert words[1] == everything[64 + 128 :]


def test_the_published_words():
    # Random123's known answer for Philox 4x32-10 with a counter and a key of 0
    assert [int(w) for w in philox.words(0, 0, 4)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox.words(7, 5, 6).tolist() == philox.words(7, 0, 16)[5:11].tolist()


def test_distributions(device):
    n = 20_000
    # mean and spread of n draws: within 5 standard errors of what they should be
    u = genesis.rand(n, dtype=genesis.float64)
    assert u.min().item() >= 0
    assert u.max().item() < 1
    assert abs(u.mean().item() - 0.5) < 5 * (1 / 12 / n) ** 0.5
    z = genesis.randn(n, dtype=genesis.float64)
    assert abs(z.mean().item()) < 5 * n**-0.5
    assert abs(z.std().item() - 1) < 5 * (2 * n) ** -0.5
    i = genesis.randint(2, 5, (n,))
    counts = [(i == k).sum().item() for k in (2, 3, 4)]
    assert sum(counts) == n
    assert all(abs(c - n / 3) < 5 * (n * 2 / 9) ** 0.5 for c in counts)
    p = genesis.full((n,), 0.3).bernoulli()
    assert abs(p.mean().item() - 0.3) < 5 * (0.21 / n) ** 0.5
    picked = genesis.tensor([0.0, 1.0, 3.0]).multinomial(n, True)
    assert (picked == 0).sum().item() == 0
    assert abs((picked == 2).sum().item() / n - 0.75) < 5 * (0.1875 / n) ** 0.5


def test_permutations(device):
    p = genesis.randperm(50)
    assert sorted(p.tolist()) == list(range(50))
    assert p.tolist() != list(range(50))
    assert genesis.randperm(0).shape == (0,)
    assert genesis.randperm(4, dtype=genesis.int32).dtype is genesis.int32
    drawn = genesis.ones(6).multinomial(6)
    assert sorted(drawn.tolist()) == list(range(6))


def test_shapes_and_types(device):
    assert genesis.rand(0).shape == (0,)
    assert genesis.rand(()).shape == ()
    assert genesis.randint(3, (2,), dtype=genesis.float32).dtype is genesis.float32
    assert genesis.randint(low=1, high=3, size=(2, 2)).shape == (2, 2)
    mean = genesis.tensor([0.0, 100.0])
    assert abs(genesis.normal(mean, 0.001) - mean).max().item() < 0.01
    assert genesis.normal(mean, genesis.zeros(3, 2)).tolist() == [[0, 100]] * 3


def test_multinomial_refuses_what_has_no_meaning(device):
    for weights, samples in (([-1.0, 2.0], 1), ([float("nan"), 1.0], 1), ([0.0, 0.0], 1), ([1.0, 0.0], 2)):
        with pytest.raises(RuntimeError):
            genesis.tensor(weights).multinomial(samples)
