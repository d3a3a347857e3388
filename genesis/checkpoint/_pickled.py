"""Files of ``genesis.save`` with whole objects: models, optimizers, a script's own classes, as a pickle.

A pickle can run any code when it is read.  So it is read with a short table of harmless names, and with all
others only after the caller has said ``weights_only=False``.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any, BinaryIO, ClassVar

import genesis
from genesis._dtypes import UNAVAILABLE, as_dtype
from genesis._errors import CheckpointError, DeviceError
from genesis._tensor import _rebuild
from genesis._unpickling import (
    DAMAGED,
    PLAIN,
    NumpyArray,
    Unpickler,
    plain_deque,
    plain_frozenset,
    resolved,
    texts_only,
)
from genesis.checkpoint._format import make_tensor

#: how such a file begins; what follows is the pickle
MAGIC = b"genesis pickle 1\n"


class _Class(str):
    """Name of a class of tensors."""


_CLASSES: dict[str, Any] = {
    "Tensor": genesis.Tensor,
    "Parameter": genesis.nn.Parameter,
    "Buffer": genesis.nn.Buffer,
}
_GENERATOR = {"device", "_seed", "_offset"}


class _Stranger(Unpickler):
    """Reads a file of anybody's."""

    names: ClassVar[Mapping[tuple[str, str], Any]] = {
        **PLAIN,
        **{("builtins", kind.__name__): texts_only(kind) for kind in (complex, range, slice)},
        ("builtins", "frozenset"): plain_frozenset,
        ("collections", "deque"): plain_deque,
        ("genesis._device", "device"): texts_only(genesis.device),
        ("genesis._dtypes", "as_dtype"): texts_only(as_dtype),
        ("genesis._dtypes", "_unavailable"): texts_only(UNAVAILABLE.__getitem__),
        ("genesis._random", "Generator"): genesis.Generator,
        ("genesis._tensor", "Size"): genesis.Size,
        ("genesis._tensor", "Tensor"): _Class("Tensor"),
        ("genesis.nn.parameter", "Parameter"): _Class("Parameter"),
        ("genesis.nn.parameter", "Buffer"): _Class("Buffer"),
    }
    classes: ClassVar[frozenset[Any]] = frozenset({genesis.Generator, genesis.Size})

    def __init__(self, file: BinaryIO, name: str, where: Any) -> None:
        super().__init__(file)
        self.name, self.where = name, where

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("genesis._tensor", "_rebuild"):
            return self._tensor
        if (module, name) not in self.names:
            raise CheckpointError(
                f"{self.name!r} holds a {module}.{name}, and reading such an object can run any code. Save "
                "and load state_dict() instead, or, if you trust whoever wrote the file, pass "
                "weights_only=False"
            )
        return super().find_class(module, name)

    def set_state(self, made: Any, state: Any) -> None:
        if type(made) is genesis.Generator and isinstance(state, dict) and state.keys() == _GENERATOR:
            made.__setstate__(state)
        else:
            super().set_state(made, state)

    def _tensor(self, cls: Any, array: Any, saved_on: str, requires_grad: bool, extra: Any) -> Any:
        if not isinstance(cls, _Class) or not isinstance(array, NumpyArray) or not isinstance(saved_on, str):
            raise CheckpointError(f"{self.name!r} holds a tensor that Genesis did not write")
        if not isinstance(extra, dict) or extra.keys() - {"persistent"}:
            raise CheckpointError(
                f"{self.name!r} holds a tensor with attributes; to read them, if you trust whoever wrote the "
                "file, pass weights_only=False"
            )
        self.spend(2 * array.array.nbytes)
        plain = make_tensor(self.name, self.where, array.array, saved_on, False)
        if cls == "Tensor":
            return plain.requires_grad_(requires_grad is True)
        return _rebuild(_CLASSES[cls], array.array, str(plain.device), requires_grad is True, extra)


class _Friend(pickle.Unpickler):
    """Reads a file whose writer is trusted."""

    def __init__(self, file: BinaryIO, name: str, where: Any) -> None:
        super().__init__(file)
        self.name, self.where = name, where

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("genesis._tensor", "_rebuild"):
            return self._tensor
        return super().find_class(module, name)

    def _tensor(self, cls: Any, array: Any, saved_on: str, requires_grad: bool, extra: Any) -> Any:
        plain = make_tensor(self.name, self.where, array, saved_on, False)
        return _rebuild(cls, array, str(plain.device), requires_grad, extra)


def write_pickle(obj: object, file: BinaryIO, pickle_module: Any, protocol: int) -> None:
    """Write a file that ``read_pickle`` reads, with a pickle module and at least protocol 4."""
    file.write(MAGIC)
    (pickle_module or pickle).dump(obj, file, protocol=max(protocol, 4))  # 4 names Python 3's modules


def read_pickle(file: BinaryIO, name: str, where: Any, trusted: bool) -> Any:
    """Read what ``write_pickle`` wrote.

    Raises:
        CheckpointError: the file is damaged, or it holds objects and is not ``trusted``.
    """
    file.seek(len(MAGIC))
    if not trusted:
        try:
            return resolved(_Stranger(file, name, where).load())
        except (CheckpointError, DeviceError):
            raise
        except DAMAGED as error:
            raise CheckpointError(
                f"{name!r} is damaged or truncated: {type(error).__name__}: {error}"
            ) from error
    try:
        return _Friend(file, name, where).load()
    except CheckpointError:
        raise
    except (pickle.UnpicklingError, EOFError) as error:
        raise CheckpointError(f"{name!r} is damaged or truncated: {error}") from error
    except (AttributeError, ImportError) as error:
        raise CheckpointError(
            f"{name!r} holds an object of a class that is not here: {error}; define or import it first"
        ) from error
