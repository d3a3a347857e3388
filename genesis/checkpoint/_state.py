"""The state of whatever takes part in a training, and of its random numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import genesis


def check_part(part: object, where: str) -> None:
    """Refuse what could not be restored in place.

    Raises:
        TypeError: it has no state.
    """
    if part is None or _stateful(part) or isinstance(part, genesis.Tensor | genesis.Generator | np.ndarray):
        return
    if isinstance(part, dict | list):
        return  # plain values in it are replaced
    if isinstance(part, tuple):
        for index, item in enumerate(part):
            check_part(item, f"{where}[{index}]")
        return
    kind = type(part).__name__
    raise TypeError(
        f"{where} is a {kind}, whose value could not be given back to you by resume(): pass an object with "
        f"state_dict() and load_state_dict(), a tensor, or a dict such as {{{where!r}: ...}}"
    )


def state_of(part: Any) -> Any:
    """What `restore` needs: tensors in it may be memory that is still in use."""
    if _stateful(part):
        return part.state_dict()
    if isinstance(part, genesis.Generator):
        return part.get_state()
    if isinstance(part, dict):
        return {key: state_of(item) for key, item in part.items()}
    if isinstance(part, list):
        return [state_of(item) for item in part]
    return tuple(state_of(item) for item in part) if isinstance(part, tuple) else part


def restore(part: Any, state: Any, where: str) -> Any:
    """Bring a part to a state that `state_of` returned.

    Returns:
        The part, or what takes the place of a plain value.

    Raises:
        ValueError, TypeError, KeyError, RuntimeError: the state is of another kind of part, or from the part.
    """
    if _stateful(part):
        part.load_state_dict(state)
    elif isinstance(part, genesis.Generator):
        part.set_state(state)
    elif isinstance(part, genesis.Tensor):
        with genesis.no_grad():
            part.copy_(state)
    elif isinstance(part, np.ndarray):
        part[...] = state
    elif isinstance(part, dict):
        _same(isinstance(state, dict), part, state, where)
        _same(all(key in state for key, item in part.items() if _in_place(item)), part, state, where)
        changed = {key: restore(part.get(key), item, f"{where}[{key!r}]") for key, item in state.items()}
        part.clear()
        part.update(changed)
    elif isinstance(part, list | tuple):
        _same(isinstance(state, list | tuple), part, state, where)
        if any(_in_place(item) for item in part):
            _same(len(state) == len(part), part, state, where)
            restored = [restore(item, state[index], f"{where}[{index}]") for index, item in enumerate(part)]
            if isinstance(part, list):
                part[:] = restored
        elif isinstance(part, list):
            part[:] = state
        else:
            return state
    else:
        return state
    return part


def _same(fits: bool, part: Any, state: Any, where: str) -> None:
    if not fits:
        raise ValueError(
            f"the checkpoint has a {type(state).__name__} as {where}, which does not fit the "
            f"{type(part).__name__} given here"
        )


def _stateful(part: object) -> bool:
    return hasattr(part, "state_dict") and hasattr(part, "load_state_dict")


def _in_place(part: object) -> bool:
    return _stateful(part) or isinstance(part, genesis.Tensor | genesis.Generator | np.ndarray)


def random_state() -> dict[str, Any]:
    """The state of Genesis' random numbers, which are those of all devices, of NumPy's and of Python's."""
    version, words, gauss = random.getstate()
    return {
        "genesis": genesis.get_rng_state(),
        "numpy": np.random.get_state(legacy=False),
        "python": (version, np.array(words, np.int64), gauss),
    }


def set_random_state(state: Any) -> None:
    """Go on from what `random_state` returned, or from the first of it alone."""
    if not isinstance(state, dict):  # the first checkpoints of `genesis train` had no more
        genesis.set_rng_state(state)
        return
    genesis.set_rng_state(state["genesis"])
    np.random.set_state(state["numpy"])
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
