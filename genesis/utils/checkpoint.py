"""Checkpointing: what lies inside of a function is not kept for the backward pass, but computed again.

Saves memory and costs a second forward pass.  Chen et al., "Training Deep Nets with Sublinear Memory
Cost", 2016.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from genesis import Generator, zeros
from genesis._errors import GenesisError
from genesis._lazy import missing
from genesis._random import default_generator
from genesis._tensor import Tensor
from genesis.autograd import backward as run_backward
from genesis.autograd import enable_grad, is_grad_enabled
from genesis.autograd.function import Function
from genesis.autograd.grad_mode import state
from genesis.autograd.saved import saved_tensors_hooks
from genesis.ops._autocast import restored, settings

Contexts = Callable[[], tuple[AbstractContextManager[Any], AbstractContextManager[Any]]]


class CheckpointError(GenesisError, RuntimeError):
    """The second forward pass did something else than the first."""


class _Stop(Exception):
    """All that is needed has been computed."""


_early_stop: list[bool | None] = [None]
_debug: list[bool | None] = [None]


def noop_context_fn() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Contexts that do nothing."""
    return nullcontext(), nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Contexts = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate results are computed again in the backward pass.

    Args:
        function: gives the same for the same inputs; dropout does, since its random numbers are repeated.
        args: what it takes.
        use_reentrant: False (the default) keeps the graph and lets the backward pass recompute what was
        saved.
            True runs without a graph and then a backward pass inside of the backward pass: then at least
            one of ``args`` has to require a gradient, there are no keyword arguments, and only
            ``backward()`` works, not ``autograd.grad`` with chosen inputs.
        context_fn: gives two contexts, for the first and for the second forward pass.
        determinism_check: ``"default"`` compares shapes, types and devices of the two passes, ``"none"``
        does not. debug: accepted; the message of an error always names what differs.
        early_stop: stop the second pass when all that was saved is there again.
        preserve_rng_state: draw the same random numbers in both passes.
        kwargs: for ``function``.

    Raises:
        CheckpointError: the second pass saved something else than the first.
        ValueError: an option that there is not, or that does not go with ``use_reentrant=True``.

    Example:
        >>> import genesis
        >>> from genesis.utils.checkpoint import checkpoint
        >>> x = genesis.ones(3, requires_grad=True)
        >>> checkpoint(lambda x: (x * x).exp(), x, use_reentrant=False).sum().backward()
    """
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments with use_reentrant=True: {', '.join(kwargs)}")
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check must be one of ['default', 'none'], but got {determinism_check}")
    if not is_grad_enabled():
        return function(*args, **kwargs)
    first, second = context_fn()
    stop = early_stop if _early_stop[0] is None else _early_stop[0]
    # An operation that does nothing saves the arguments: a checkpoint around this one then lets go of
    # them, too.
    places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
    others = [None if isinstance(a, Tensor) else a for a in args]
    saved = _SaveInputs.apply(zeros(0, requires_grad=True), *[args[i] for i in places])

    def run() -> Any:
        again = list(others)
        for place, t in zip(places, saved.grad_fn.saved_tensors, strict=True):
            again[place] = t
        return function(*again, **kwargs)

    frame = _Frame(run, second, preserve_rng_state, determinism_check, stop)
    with first, saved_tensors_hooks(frame.pack, frame.unpack):
        return function(*args, **kwargs)


class _SaveInputs(Function):
    """Saves tensors and gives nothing."""

    @staticmethod
    def forward(ctx: Any, empty: Tensor, *tensors: Tensor) -> Tensor:
        ctx.save_for_backward(*tensors)
        return zeros(0)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise CheckpointError("checkpoint: this is never called")


class _Holder:
    """Stands for a saved tensor until it is needed."""

    __slots__ = ("__weakref__", "frame", "like", "number", "value")

    def __init__(self, frame: _Frame, number: int, like: tuple[Any, ...]) -> None:
        self.frame, self.number, self.like = frame, number, like
        self.value: Tensor | None = None  # of the second pass


def _like(t: Tensor) -> tuple[Any, ...]:
    return tuple(t.shape), t.dtype, t.device


class _Frame:
    """One call of ``checkpoint``: what it saved, and how to get it again."""

    def __init__(
        self,
        run: Callable[[], Any],
        context: AbstractContextManager[Any],
        random: bool,
        check: str,
        stop: bool,
    ) -> None:
        self.run, self.context, self.check, self.stop = run, context, check, stop
        self.state = _random_state() if random else None
        self.autocast = settings()
        self.holders: list[weakref.ref[_Holder]] = []

    def pack(self, t: Tensor) -> _Holder:
        holder = _Holder(self, len(self.holders), _like(t))
        self.holders.append(weakref.ref(holder))
        return holder

    def unpack(self, holder: _Holder) -> Tensor:
        if holder.value is None:
            self._again()
        value = holder.value
        if value is None:
            raise CheckpointError(
                f"checkpoint: the first pass saved {len(self.holders)} tensors, the second one fewer; the "
                "function has to do the same both times"
            )
        if self.check == "default" and _like(value) != holder.like:
            raise CheckpointError(
                f"checkpoint: tensor {holder.number} had shape, type and device {holder.like} in the "
                f"first pass "
                f"and has {_like(value)} in the second; the function has to do the same both times"
            )
        return value

    def _again(self) -> None:
        """The second forward pass, with the random numbers of the first."""
        count = 0

        def keep(t: Tensor) -> None:
            nonlocal count
            holder = self.holders[count]() if count < len(self.holders) else None
            if holder is not None:
                holder.value = t.detach()
            count += 1
            if self.stop and count == len(self.holders):
                raise _Stop

        def used(packed: None) -> Tensor:
            raise CheckpointError("checkpoint: the function runs a backward pass of its own inside")

        with _random_as(self.state), restored(self.autocast), enable_grad(), self.context:
            try:
                with saved_tensors_hooks(keep, used):
                    self.run()
            except _Stop:
                return
        if count != len(self.holders) and self.check == "default":
            raise CheckpointError(
                f"checkpoint: the first pass saved {len(self.holders)} tensors, the second one {count}; the "
                "function has to do the same both times"
            )


class CheckpointFunction(Function):
    """The function without a graph; its backward runs it again with one."""

    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], random: bool, *args: Any) -> Any:
        ctx.function, ctx.state = function, _random_state() if random else None
        ctx.autocast = settings()
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.others = [None if isinstance(a, Tensor) else a for a in args]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        return function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        if not state.run.whole:
            raise CheckpointError(
                "with use_reentrant=True, checkpoint does not go with autograd.grad or with inputs= of "
                "backward; "
                "use use_reentrant=False"
            )
        args = list(ctx.others)
        for place, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            args[place] = t.detach().requires_grad_(t.requires_grad)
        with _random_as(ctx.state), restored(ctx.autocast), enable_grad():
            found = ctx.function(*args)
        pairs = [
            (t, g)
            for t, g in zip(found if isinstance(found, tuple) else (found,), grads, strict=True)
            if isinstance(t, Tensor) and t.requires_grad
        ]
        if not pairs:
            raise CheckpointError("none of output has requires_grad=True, this checkpoint() is not necessary")
        run_backward([t for t, _ in pairs], [g for _, g in pairs])
        return (None, None, *[a.grad if isinstance(a, Tensor) else None for a in args])


def _random_state() -> tuple[int, int]:
    return default_generator._seed, default_generator._offset


@contextmanager
def _random_as(state: tuple[int, int] | None) -> Iterator[None]:
    """The global random numbers from a state on; afterwards they go on as before."""
    generator: Generator = default_generator
    before = _random_state()
    if state is not None:
        generator._seed, generator._offset = state
    try:
        yield
    finally:
        if state is not None:
            generator._seed, generator._offset = before


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run modules one after another in segments, each of which but the last is checkpointed.

    Args:
        functions: an ``nn.Sequential`` or a list of modules or functions.
        segments: into how many parts.
        input: of the first.
        use_reentrant, preserve_rng_state: as in ``checkpoint``.
        kwargs: refused.
    """
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    from genesis.nn import Sequential

    parts: Sequence[Any] = (
        list(functions.children()) if isinstance(functions, Sequential) else list(functions)
    )

    def segment(start: int, end: int) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for part in parts[start:end]:
                x = part(x)
            return x

        return forward

    size = len(parts) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(
            segment(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state
        )
    return segment(end, len(parts))(input)


class set_checkpoint_early_stop:
    """Inside, ``early_stop`` of all checkpoints is this.

    Args:
        enable: stop the second pass when all that was saved is there again.
    """

    def __init__(self, enable: bool) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        self._before, _early_stop[0] = _early_stop[0], self.enable

    def __exit__(self, *error: object) -> None:
        _early_stop[0] = self._before


class set_checkpoint_debug_enabled(set_checkpoint_early_stop):
    """Accepted for compatibility: errors always name what differs.

    Args:
        enabled: no effect.
    """

    def __init__(self, enabled: bool | None) -> None:
        super().__init__(bool(enabled))

    def __enter__(self) -> None:
        self._before, _debug[0] = _debug[0], self.enable

    def __exit__(self, *error: object) -> None:
        _debug[0] = self._before


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
