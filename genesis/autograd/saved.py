"""Hooks on what operations save for the backward pass: packed when saved, unpacked when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genesis.autograd.grad_mode import state, watch
from genesis.autograd.graph import GraphError, Node, TensorCore, edge, new

_disabled: list[str] = []


class saved_tensors_hooks:
    """Replace what operations save, while the context is open.

    Args:
        pack_hook: gets each tensor that an operation saves and returns anything.
        unpack_hook: gets this and returns a tensor of the same elements; it is called in the backward pass.

    Example:
        >>> import genesis
        >>> kept = []
        >>> x = genesis.ones(3, requires_grad=True)
        >>> def pack(t):
        ...     kept.append(t.detach().numpy().astype("float16"))
        ...     return len(kept) - 1
        >>> def unpack(i):
        ...     return genesis.tensor(kept[i].astype("float32"))
        >>> with genesis.autograd.graph.saved_tensors_hooks(pack, unpack):
        ...     y = (x * x).sum()
        >>> y.backward()
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if _disabled:
            raise GraphError(_disabled[-1])
        state.saved_hooks = (*state.saved_hooks, (self.pack_hook, self.unpack_hook))
        watch.add(nodes=1)

    def __exit__(self, *error: object) -> None:
        watch.add(nodes=-1)
        state.saved_hooks = state.saved_hooks[:-1]


class save_on_cpu(saved_tensors_hooks):
    """Keep what operations save on the device ``cpu``, and bring it back when it is needed.

    Args:
        pin_memory: in memory that the accelerator reads by itself, if there is one; the way back is then not
            waited for.
        device_type: accepted for compatibility.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def pack(t: Any) -> Any:
            return t.device, t.cpu().pin_memory() if pin_memory else t.cpu()

        super().__init__(pack, lambda packed: packed[1].to(packed[0], non_blocking=pin_memory))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Opening ``saved_tensors_hooks`` inside is an error with this message."""
    if state.saved_hooks:
        raise GraphError(error_message)
    _disabled.append(error_message)
    try:
        yield
    finally:
        _disabled.pop()


class _Packed:
    """A tensor that was packed, and where its gradient goes."""

    __slots__ = ("edge", "value")

    def __init__(self, edge: Any, value: Any) -> None:
        self.edge, self.value = edge, value


class Packed:
    """What a node saved, packed."""

    def __init__(self, node: Node, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        self._unpack = unpack
        self._values = [self._pack(pack, t) if isinstance(t, TensorCore) else t for t in node.saved]
        node.saved = ()

    def _pack(self, pack: Callable[[Any], Any], t: Any) -> _Packed:
        version = t._view.buffer.version
        before, state.enabled = state.enabled, False
        try:
            value = pack(t)
        finally:
            state.enabled = before
        if t._view.buffer.version != version:
            raise GraphError("A saved tensor pack hook is modifying its input in place. Let it copy first.")
        return _Packed(edge(t), value)

    def unpack(self, node: Node) -> tuple[Any, ...]:
        """The saved values again."""
        return tuple([self._one(v) if type(v) is _Packed else v for v in self._values])

    def _one(self, packed: _Packed) -> Any:
        before, state.enabled = state.enabled, False
        try:
            found = self._unpack(packed.value)
        finally:
            state.enabled = before
        if not isinstance(found, TensorCore):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(found).__name__}"
            )
        if packed.edge is None or not state.enabled:
            return found
        again: Any = new(found._view)  # part of the graph, for a higher derivative
        again._node = packed.edge if isinstance(packed.edge, Node) else Node(_SAME, (packed.edge,), (), None)
        again._tracked = True
        return again


class _Same:
    """A tensor that stands for a leaf."""

    name = "saved"

    def backward(self, node: Node, grad: Any) -> tuple[Any]:
        return (grad,)


_SAME = _Same()
