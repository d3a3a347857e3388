"""Random numbers: a seed and a counter.  The same seed gives the same numbers on every device."""

from __future__ import annotations

import threading
from operator import index
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class Generator:
    """A source of random numbers: Philox 4x32-10 with a 64-bit seed and the number of words drawn so far.

    Args:
        device: accepted for compatibility; the numbers do not depend on the device.

    Example:
        >>> import genesis
        >>> g = genesis.Generator().manual_seed(0)
        >>> genesis.rand(2, generator=g).shape
        (2,)
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = device
        self._seed, self._offset, self._children = _DEFAULT_SEED, 0, 0
        self._lock = threading.Lock()

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed``, an integer in [-2**63, 2**64); a negative one counts from 2**64 down."""
        value = index(seed)
        if not -(1 << 63) <= value < 1 << 64:
            raise ValueError(f"a seed lies in [-2**63, 2**64), got {value}")
        with self._lock:
            self._seed, self._offset, self._children = value & 0xFFFFFFFFFFFFFFFF, 0, 0
        return self

    def seed(self) -> int:
        """Start from a seed of the operating system's; returns it."""
        import secrets

        value = secrets.randbits(63)
        self.manual_seed(value)
        return value

    def move(self, position: int) -> None:
        """Go on from this position of the numbers of the same seed."""
        with self._lock:
            self._offset, self._children = position, 0

    def initial_seed(self) -> int:
        """The seed it was last started from."""
        return self._seed

    def take(self, count: int) -> tuple[int, int]:
        """Reserve ``count`` positions; returns (seed, first position)."""
        with self._lock:
            offset = self._offset
            # whole blocks of 4 words; a normal number uses two
            self._offset = offset + (count + 3) // 4 * 4
            self._children = 0
            return self._seed, offset

    def child_seed(self) -> int:
        """A seed for the generators of other processes, another one each time; less than 2**62.

        It draws nothing: the numbers that follow are the same with and without it.
        """
        from hashlib import blake2b

        with self._lock:
            text = f"{self._seed} {self._offset} {self._children}"
            self._children += 1
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 2

    def get_state(self) -> Tensor:
        """The state as an int64 tensor [seed, position].

        If ``child_seed`` was called since numbers were drawn last, how often is a third element.
        """
        from genesis.ops.creation import tensor

        children = [self._children] if self._children else []
        return tensor([_signed(self._seed), self._offset, *children], device="cpu")

    def set_state(self, state: Any) -> None:
        """Continue from a state that ``get_state`` gave.

        Raises:
            ValueError: it is not such a state.
        """
        values = [int(v) for v in state.tolist()]
        if len(values) not in (2, 3) or min(values[1:]) < 0:
            raise ValueError(f"expected the state of a Generator, [seed, position], got {values}")
        with self._lock:
            self._seed, self._offset = values[0] & 0xFFFFFFFFFFFFFFFF, values[1]
            self._children = sum(values[2:])

    def __deepcopy__(self, memo: object) -> Generator:
        copy = Generator(self.device)
        copy._seed, copy._offset, copy._children = self._seed, self._offset, self._children
        return copy

    def __getstate__(self) -> dict[str, Any]:
        return {"device": self.device, "_seed": self._seed, "_offset": self._offset}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"_children": 0, **state}, _lock=threading.Lock())


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


_DEFAULT_SEED = 0x5EED_0F_9E4E515
default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the global random numbers from ``seed`` on all devices; returns the global generator."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the global random numbers from a seed of the operating system's; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the global random numbers."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the global random numbers."""
    return default_generator.get_state()


def set_rng_state(state: Any) -> None:
    """Continue the global random numbers from a state that ``get_rng_state`` gave."""
    default_generator.set_state(state)
