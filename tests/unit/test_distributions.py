"""Distributions: samples have the moments that the formulas say, and gradients flow through them."""

from __future__ import annotations

from typing import Any

import pytest

import genesis
from genesis import distributions as D
from genesis.nn.parallel import DataParallel, data_parallel

one = genesis.ones(2)


@pytest.mark.parametrize(
    "d",
    [
        D.Bernoulli(0.3 * one),
        D.Beta(2 * one, 5 * one),
        D.Binomial(7, 0.3 * one),
        D.Chi2(3 * one),
        D.ContinuousBernoulli(0.2 * one),
        D.Dirichlet(genesis.tensor([1.0, 2.0, 3.0])),
        D.Exponential(2 * one),
        D.FisherSnedecor(4 * one, 20 * one),
        D.Gamma(0.5 * one, 2 * one),
        D.GeneralizedPareto(one, one, 0.1),
        D.Geometric(0.4 * one),
        D.Gumbel(one, 2 * one),
        D.HalfNormal(2 * one),
        D.Independent(D.Normal(one, 2 * one), 1),
        D.InverseGamma(9 * one, one),
        D.Kumaraswamy(2 * one, 3 * one),
        D.Laplace(one, 2 * one),
        D.LogNormal(0 * one, 0.5 * one),
        D.MixtureSameFamily(D.Categorical(one), D.Normal(genesis.tensor([-1.0, 2.0]), 0.5)),
        D.Multinomial(5, genesis.tensor([0.2, 0.3, 0.5])),
        D.MultivariateNormal(one, genesis.tensor([[2.0, 0.5], [0.5, 1.0]])),
        D.NegativeBinomial(3, 0.4 * one),
        D.Normal(one, 2 * one),
        D.OneHotCategorical(genesis.tensor([0.2, 0.3, 0.5])),
        D.Pareto(one, 9 * one),
        D.Poisson(3 * one),
        D.StudentT(8 * one, one),
        D.Uniform(-one, 2 * one),
        D.Weibull(one, 2 * one),
    ],
    ids=lambda d: type(d).__name__,
)
def test_samples_have_the_mean_and_the_variance(d: Any) -> None:
    genesis.manual_seed(3)
    drawn = d.sample((20000,))
    assert drawn.shape == (20000, *d.batch_shape, *d.event_shape)
    assert not drawn.requires_grad
    error = d.stddev / 20000**0.5
    assert ((drawn.mean(0) - d.mean).abs() < 5 * error).all()
    assert genesis.allclose(drawn.var(0), d.variance, rtol=0.15)
    assert genesis.isfinite(d.log_prob(drawn)).all()


def test_categorical_samples_and_its_gradient() -> None:
    genesis.manual_seed(0)
    logits = genesis.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]], requires_grad=True)
    d = D.Categorical(logits=logits)
    drawn = d.sample((5000,))
    assert drawn.dtype == genesis.int64
    shares = genesis.nn.functional.one_hot(drawn, 3).double().mean(0)
    assert genesis.allclose(shares, d.probs.detach().double(), atol=0.03)
    d.log_prob(drawn[0]).sum().backward()
    assert logits.grad is not None
    with pytest.raises(ValueError, match="support"):
        d.log_prob(genesis.tensor([3, 0]))
    with pytest.raises(NotImplementedError, match="use sample and log_prob"):
        d.rsample()


def test_gradients_flow_through_gamma_samples() -> None:
    genesis.manual_seed(1)
    a = genesis.tensor([0.7, 3.0, 40.0], dtype=genesis.float64, requires_grad=True)
    D.Gamma(a, 2.0).rsample((4000,)).mean(0).sum().backward()
    assert genesis.allclose(a.grad, genesis.full((3,), 0.5, dtype=genesis.float64), rtol=0.1)  # of a / rate


def test_a_wrapped_model_is_the_model_on_one_device() -> None:
    model = genesis.nn.Linear(3, 2)
    wrapped = DataParallel(model)
    x = genesis.ones(4, 3)
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    assert genesis.equal(wrapped(x), model(x))
    assert genesis.equal(data_parallel(model, x, [0]), model(x))
    with pytest.raises(NotImplementedError, match="not spread over several devices"):
        DataParallel(model, device_ids=[0, 1])


def test_a_way_to_compute_attention_may_be_chosen() -> None:
    from genesis.nn.attention import SDPBackend, sdpa_kernel

    x = genesis.randn(1, 2, 3, 4)
    attend = genesis.nn.functional.scaled_dot_product_attention
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]):
        assert genesis.equal(attend(x, x, x), attend(x, x, x))
    with pytest.raises(AssertionError, match="must be SDPBackend"), sdpa_kernel(["flash"]):
        pass


def test_names_that_are_not_here_say_so() -> None:
    with pytest.raises(ImportError, match="StackTransform"):
        from genesis.distributions.transforms import StackTransform  # noqa: F401


def test_angles_are_around_their_direction() -> None:
    genesis.manual_seed(3)
    d = D.VonMises(genesis.tensor([3.0, -1.0]), genesis.tensor([4.0, 0.5]))
    drawn = d.sample((20000,))
    assert (drawn.abs() <= genesis.pi).all()
    x, y = drawn.cos().mean(0), drawn.sin().mean(0)
    assert genesis.allclose(genesis.atan2(y, x), d.mean, atol=0.05)
    assert genesis.allclose(1 - genesis.hypot(x, y), d.variance, atol=0.02)


@pytest.mark.parametrize(
    "d",
    [
        D.RelaxedBernoulli(genesis.tensor(0.3), 0.2 * one),
        D.RelaxedOneHotCategorical(genesis.tensor(0.3), genesis.tensor([0.2, 0.8])),
    ],
    ids=lambda d: type(d).__name__,
)
def test_relaxed_samples_are_on_the_side_of_their_class(d: Any) -> None:
    genesis.manual_seed(3)
    drawn = d.rsample((20000,))
    assert genesis.allclose((drawn[..., 0] > 0.5).float().mean(), genesis.tensor(0.2), atol=0.02)
