"""Files of ``genesis.save`` with whole objects: models, optimizers, a script's own classes, as a pickle.

A pickle can run any code when it is read.  So names in it are looked up in a short list of harmless ones, and
all others only after the caller has said ``weights_only=False``.
"""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

import genesis
from genesis._errors import CheckpointError
from genesis.checkpoint._format import make_tensor

#: how such a file begins; what follows is the pickle
MAGIC = b"genesis pickle 1\n"

_HARMLESS = {
    "builtins": {"bytearray", "complex", "frozenset", "range", "set", "slice"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "genesis._device": {"device"},
    "genesis._dtypes": {"_unavailable", "as_dtype"},
    "genesis._random": {"Generator"},
    "genesis._tensor": {"Size", "Tensor"},
    "genesis.nn.parameter": {"Buffer", "Parameter"},
    "numpy": {"dtype", "ndarray"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
}


class _Reader(pickle.Unpickler):
    def __init__(self, file: BinaryIO, name: str, where: Any, trusted: bool) -> None:
        super().__init__(file)
        self.name, self.where, self.trusted = name, where, trusted

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("genesis._tensor", "_rebuild"):
            return self._tensor
        if self.trusted or name in _HARMLESS.get(module, ()):
            return super().find_class(module, name)
        raise CheckpointError(
            f"{self.name!r} holds a {module}.{name}, and reading such an object can run any code. Save "
            "and load state_dict() instead, or, if you trust whoever wrote the file, pass weights_only=False"
        )

    def _tensor(self, cls: Any, array: Any, saved_on: str, requires_grad: bool, extra: Any) -> Any:
        plain = make_tensor(self.name, self.where, array, saved_on, False)
        if cls is genesis.Tensor and not extra:
            return plain.requires_grad_(requires_grad)
        from genesis._tensor import _rebuild

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
    try:
        return _Reader(file, name, where, trusted).load()
    except CheckpointError:
        raise
    except (pickle.UnpicklingError, EOFError) as error:
        raise CheckpointError(f"{name!r} is damaged or truncated: {error}") from error
    except (AttributeError, ImportError) as error:
        raise CheckpointError(
            f"{name!r} holds an object of a class that is not here: {error}; define or import it first"
        ) from error
