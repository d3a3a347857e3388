"""The learning-rate range test: raise the rate from step to step, watch the loss, put everything back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal, Protocol

from genesis.optim._snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RangeTestResult", "lr_range_test"]

_FEWEST_STEPS = 10


class HasParameters(Protocol):
    """What the range test needs of a model, besides a call."""

    def parameters(self) -> Iterable[Any]:
        """The tensors that are trained."""


class Steps(Protocol):
    """What the range test needs of an optimizer."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> object:
        """Forget the gradients."""

    def step(self) -> object:
        """Change the parameters."""


@dataclass(frozen=True, repr=False)
class RangeTestResult:
    """What a learning-rate range test has seen.

    Attributes:
        rates: The learning rate of each step, of the first parameter group.
        losses: The loss of each step's batch, before the parameters are changed with that rate.
        smoothed: The running mean of the losses that the test followed.
        suggestion: A learning rate to train with, or None.
        reason: One sentence: why this rate or why none, and where the test ended.
        mode: How the rates grow, "exponential" or "linear".
    """

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    suggestion: float | None
    reason: str
    mode: Literal["exponential", "linear"] = "exponential"

    def __repr__(self) -> str:
        suggestion = "None" if self.suggestion is None else f"{self.suggestion:.3g}"
        tested = f"{len(self.rates)} rates"
        if self.rates:
            tested += f" from {self.rates[0]:.3g} to {self.rates[-1]:.3g}"
        return f"{type(self).__name__}({tested}; suggestion {suggestion}: {self.reason})"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses over the rates, and mark the suggestion.

        Args:
            ax: Where to draw; by default a new figure of `matplotlib.pyplot`.

        Returns:
            The axes, to show, change or save: `result.plot().figure.savefig("range.png")`.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=(7, 4.2), layout="constrained")[1]
        ax.plot(self.rates, self.losses, color="#3566a8", alpha=0.45, linewidth=0.9, label="loss")
        ax.plot(self.rates, self.smoothed, color="#3566a8", linewidth=1.8, label="smoothed")
        if self.suggestion is not None:
            label = f"suggestion {self.suggestion:.2g}"
            ax.axvline(self.suggestion, color="#c7632a", linewidth=1.4, linestyle="--", label=label)
        ax.set_xscale("log" if self.mode == "exponential" else "linear")
        if self.losses:
            ax.set_ylim(*_limits(self.losses, self.smoothed))
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        return ax


def lr_range_test(
    model: HasParameters,
    optimizer: Steps,
    loss_fn: Callable[[Any, Any], Any] | None,
    loader: Iterable[Any],
    *,
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    num_steps: int = 100,
    mode: Literal["exponential", "linear"] = "exponential",
    smoothing: float = 0.95,
    diverge_factor: float = 4.0,
    step_fn: Callable[[Any, Any], Any] | None = None,
    device: Any = None,
) -> RangeTestResult:
    """Train for some steps with a rising learning rate, see where the loss falls, and put everything back.

    The rate of step t is, for the first parameter group,

        start_lr * (end_lr / start_lr) ** (t / (num_steps - 1))             ("exponential")
        start_lr + (end_lr - start_lr) * t / (num_steps - 1)                ("linear")

    and every other group keeps its ratio to that one. The suggestion is the rate at which the smoothed loss
    was halfway down from where it began to where it was lowest. It is a rate for the first group, and a
    place to start: halve it if the training is unstable.

    Afterwards the model and the optimizer hold the same objects with the same bits as before, whether the
    test ends well, by an error or by Ctrl-C: parameters, buffers, gradients, training modes, the optimizer's
    state and groups. So do the random numbers of Genesis, Python, NumPy and PyTorch, and the position of the
    loader, as far as its attributes or its `state_dict` tell. It takes the memory of one copy of all this.
    Objects of other classes that a model refers to are left as they are. A model in evaluation mode is
    tested in training mode; in one that is in training mode, layers that you have switched stay as they are.

    Args:
        model: A module of Genesis or PyTorch, or anything that can be called and has `parameters()`.
        optimizer: Of either library, or anything with `param_groups`, `zero_grad()` and `step()`. Its own
            learning rates count only as ratios; if the first is 0, as in a warmup, each `"initial_lr"` does.
        loss_fn: Called as `loss_fn(model(inputs), targets)`; returns a scalar tensor. None with `step_fn`.
        loader: Gives batches, which are pairs (inputs, targets), and is started again when it ends.
        start_lr: The first rate, above 0.
        end_lr: The last rate, above `start_lr`.
        num_steps: How many rates to try, 10 or more; each takes a batch.
        mode: "exponential" or "linear".
        smoothing: What part of the running mean of the loss is kept in each step, from 0 (no smoothing) to
            below 1. The mean is corrected for its start, as in Adam.
        diverge_factor: The test ends early when the smoothed loss is above its first value, and above this
            multiple of its lowest; above 1, and infinity to go on to the end. It also ends at a loss that
            is nan or infinite. The first tenth of the steps is exempt from the multiple.
        step_fn: For batches of any other form, such as dicts: `step_fn(model, batch)` returns the loss. It
            must not call `backward()` itself.
        device: Where to move batches, with the tensors in lists, tuples and dicts; by default to the device
            of the model's first parameter.

    Returns:
        A `RangeTestResult` with `rates`, `losses`, `smoothed`, `suggestion`, `reason` and `plot()`.

    Raises:
        TypeError: An argument is of the wrong kind; the batches are no pairs; the loss is no tensor.
        ValueError: A number is out of its range; the loader is empty or cannot be gone through again; the
            loss is not a scalar or has no gradient; the optimizer has none of the model's parameters.

    Example:
        >>> result = genesis.optim.lr_range_test(model, optimizer, nn.CrossEntropyLoss(), loader)
        >>> print(result.suggestion, result.reason)
        >>> optimizer.param_groups[0]["lr"] = result.suggestion

    Reference: L. N. Smith, Cyclical Learning Rates for Training Neural Networks, arXiv 1506.01186, section
    3.3. There the rate grows linearly; growing it exponentially and stopping early are later practice.
    """
    _check_numbers(start_lr, end_lr, num_steps, mode, smoothing, diverge_factor)
    ratios = _check_parts(model, optimizer, loader)
    name, loss_of = _loss_of(loss_fn, step_fn)
    if device is None:
        device = getattr(next(iter(model.parameters())), "device", None)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    end = ""
    snapshot = Snapshot()
    snapshot.add_random_state()
    snapshot.add_model(model)
    snapshot.add_optimizer(optimizer)
    snapshot.add_loader(loader)
    try:
        if not getattr(model, "training", True):
            model.train()  # type: ignore[attr-defined]
        mean, last = 0.0, num_steps - 1
        for step, batch in enumerate(_batches(loader, num_steps)):
            rate = end_lr if step == last else _rate(step / last, start_lr, end_lr, mode)
            _write(optimizer, rate, ratios)
            optimizer.zero_grad()
            loss = loss_of(model, _moved(batch, device))
            value = _value(loss, name)
            if not math.isfinite(value):
                end = f"; the test ended at {rate:.3g}, where the loss was {value}"
                break
            mean = smoothing * mean + (1 - smoothing) * value
            rates.append(rate)
            losses.append(value)
            smoothed.append(mean / (1 - smoothing ** (step + 1)))
            if step >= num_steps // 10 and _diverged(smoothed, diverge_factor):
                end = f"; the test ended at {rate:.3g}, where the loss had diverged"
                break
            if step < last:  # nobody would see what the last one does
                loss.backward()
                optimizer.step()
    finally:
        snapshot.restore()
    suggestion, reason = _suggest(rates, losses, smoothed, smoothing, num_steps)
    return RangeTestResult(rates, losses, smoothed, suggestion, reason + end, mode)


def _suggest(
    rates: list[float], losses: list[float], smoothed: list[float], smoothing: float, num_steps: int
) -> tuple[float | None, str]:
    """The rate at which the smoothed loss was halfway down, and why; or None, and why not.

    The point of steepest descent and a tenth of the rate of the lowest loss hang on single batches. Half of
    the fall depends on the whole curve: it varies least between seeds, and never was far from a good rate.
    """
    skip = num_steps // 10  # until then the mean is of too few losses
    if len(rates) <= skip:
        return None, "there is no suggestion, because the loss was not finite from the start"
    lowest = min(range(skip, len(smoothed)), key=smoothed.__getitem__)
    top, low = max(smoothed[skip : lowest + 1]), smoothed[lowest]
    # What lies between neighbouring losses is their noise, without the fall; 1.05 is 1.4826 / sqrt(2), which
    # makes a standard deviation of it, and the root says how much of that the running mean keeps. Where
    # there is nothing but noise, 100 to 1000 steps fall by more than 8 of these in about one test of 100.
    noise = 1.05 * median(abs(b - a) for a, b in pairwise(losses[: lowest + 1]))
    if top - low <= 8 * noise * math.sqrt((1 - smoothing) / (1 + smoothing)):
        return None, "there is no suggestion, because the smoothed loss never fell by more than its noise"
    half = (top + low) / 2
    index = max(i for i in range(skip, lowest + 1) if smoothed[i] >= half)
    reason = f"the smoothed loss fell from {top:.3g} to {low:.3g} and was halfway down at this rate"
    if lowest == len(rates) - 1:
        reason += ", but it was still falling at the end, so a higher end_lr may find a better one"
    return rates[index], reason


def _diverged(smoothed: list[float], factor: float) -> bool:
    """Losses may be negative or pass near 0: so a multiple is a distance, and the start counts, too."""
    low, now = min(smoothed), smoothed[-1]
    return now > smoothed[0] and now - low > (factor - 1) * abs(low)


def _rate(part: float, start: float, end: float, mode: str) -> float:
    return start * (end / start) ** part if mode == "exponential" else start + (end - start) * part


def _write(optimizer: Steps, rate: float, ratios: list[float]) -> None:
    for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
        if hasattr(group["lr"], "fill_"):
            group["lr"].fill_(rate * ratio)
        else:
            group["lr"] = rate * ratio


def _batches(loader: Iterable[Any], count: int) -> Iterator[Any]:
    """So many batches, from as many passes through the loader as that takes."""
    given = 0
    while given < count:
        before = given
        for batch in loader:
            yield batch
            given += 1
            if given == count:
                return
        if not given:
            raise ValueError("the loader is empty: it gave no batch")
        if given == before:
            raise ValueError(
                f"the loader gave {given} batches and then no more, and num_steps={count} needs {count}; an "
                "iterator can be gone through only once: pass the loader or the list itself, or less steps"
            )


def _moved(batch: Any, device: Any) -> Any:
    if device is None:
        return batch
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: _moved(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_moved(value, device) for value in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(_moved(value, device) for value in batch)
    return batch


def _loss_of(loss_fn: Any, step_fn: Any) -> tuple[str, Callable[[Any, Any], Any]]:
    if (loss_fn is None) == (step_fn is None):
        raise ValueError(
            f"give either loss_fn, for batches (inputs, targets), or step_fn with loss_fn=None; got "
            f"{'neither' if loss_fn is None else 'both'}"
        )
    name, function = ("loss_fn", loss_fn) if step_fn is None else ("step_fn", step_fn)
    if not callable(function):
        raise TypeError(f"{name} must be a function that returns the loss, got {function!r}")
    if step_fn is not None:
        return name, step_fn

    def loss_of_pair(model: Any, batch: Any) -> Any:
        if not isinstance(batch, list | tuple) or len(batch) != 2:
            kind = type(batch).__name__
            if isinstance(batch, Mapping):
                kind += f" with the keys {list(batch)}"
            elif isinstance(batch, list | tuple):
                kind += f" of {len(batch)}"
            raise TypeError(
                f"loss_fn needs batches that are pairs (inputs, targets), and the loader gave a {kind}; pass "
                "loss_fn=None and step_fn, a function (model, batch) that returns the loss"
            )
        return loss_fn(model(batch[0]), batch[1])

    return name, loss_of_pair


def _value(loss: Any, name: str) -> float:
    if not hasattr(loss, "backward") or not hasattr(loss, "requires_grad"):
        hint = "; return its .loss" if hasattr(loss, "loss") else ""
        raise TypeError(f"{name} must return the loss as a scalar tensor, got {type(loss).__name__}{hint}")
    if loss.numel() != 1:
        raise ValueError(
            f"{name} must return one number, got a tensor of shape {tuple(loss.shape)}; take its mean()"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"the loss that {name} returned has no gradient: it must depend on parameters that require one, "
            "be computed outside no_grad(), and not be detached"
        )
    return float(loss.item())


def _check_parts(model: Any, optimizer: Any, loader: Any) -> list[float]:
    """The ratio of each group's rate to the first one's, if all three are what they should be."""
    if not callable(model) or not hasattr(model, "parameters"):
        raise TypeError(f"the model must be callable and have parameters(), got {type(model).__name__}")
    groups = getattr(optimizer, "param_groups", None)
    right = isinstance(groups, list) and all(
        isinstance(g, dict) and {"lr", "params"} <= set(g) for g in groups
    )
    if not right or not groups or not (hasattr(optimizer, "step") and hasattr(optimizer, "zero_grad")):
        raise TypeError(
            f"{type(optimizer).__name__} is not an optimizer: expected param_groups, a list of dicts that "
            "each hold 'params' and 'lr', and the methods zero_grad() and step()"
        )
    if not isinstance(loader, Iterable):
        raise TypeError(f"the loader must be iterable and give batches, got {type(loader).__name__}")
    trained = {id(p) for group in groups for p in group["params"]}
    if not any(id(p) in trained for p in model.parameters()):
        raise ValueError(
            "the optimizer has none of the model's parameters, so the test would train nothing; make the "
            "optimizer of this model's parameters()"
        )
    bases = [_number("the learning rate of a group", group["lr"]) for group in groups]
    if not bases[0]:  # a schedule with a warmup has begun
        bases = [_number("initial_lr", group.get("initial_lr", group["lr"])) for group in groups]
    if len(bases) > 1 and not bases[0]:
        raise ValueError(
            "the learning rate of the first parameter group is 0, so the ratios of the others to it are not "
            "known; set it to the rate that it should have beside theirs"
        )
    return [base / bases[0] for base in bases] if bases[0] else [1.0]


def _check_numbers(
    start_lr: float, end_lr: float, num_steps: int, mode: str, smoothing: float, diverge_factor: float
) -> None:
    start, end = _number("start_lr", start_lr), _number("end_lr", end_lr)
    if not 0 < start < end < math.inf:
        raise ValueError(f"expected 0 < start_lr < end_lr < inf, got start_lr={start_lr}, end_lr={end_lr}")
    if not isinstance(num_steps, int) or isinstance(num_steps, bool):
        raise TypeError(f"num_steps must be an integer, got {num_steps!r}")
    if num_steps < _FEWEST_STEPS:
        raise ValueError(f"num_steps must be {_FEWEST_STEPS} or more to show a curve, got {num_steps}")
    if mode not in ("exponential", "linear"):
        raise ValueError(f'mode must be "exponential" or "linear", got {mode!r}')
    if not 0 <= _number("smoothing", smoothing) < 1:
        raise ValueError(f"smoothing must be at least 0 and less than 1, got {smoothing}")
    if not _number("diverge_factor", diverge_factor) > 1:
        raise ValueError(f"diverge_factor must be more than 1, got {diverge_factor}")


def _number(name: str, value: Any) -> float:
    try:
        if not isinstance(value, str | bool):
            return float(value)
    except (TypeError, ValueError, RuntimeError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")


def _limits(losses: list[float], smoothed: list[float]) -> tuple[float, float]:
    """The part of the loss that is worth seeing: after it diverged it may be larger by powers of ten."""
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__)
    low, top = min(losses), max(losses[: max(lowest + 1, len(losses) // 2)])
    margin = 0.08 * (top - low or abs(top) or 1.0)
    return low - margin, top + 3 * margin
