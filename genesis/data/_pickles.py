"""Reading pickles of arrays, lists, texts and numbers, as CIFAR's files are, without running them."""

from __future__ import annotations

import io
from typing import Any

from genesis._errors import CheckpointError, DataError
from genesis._unpickling import DAMAGED, Unpickler, resolved


class _Reader(Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.names:
            raise DataError(f"the name {module}.{name}, which can run any code; it is not read")
        return super().find_class(module, name)


def read_pickle(content: bytes, name: str) -> Any:
    """The dicts, lists, arrays, texts and numbers of a pickle; texts of Python 2 are read as Latin-1.

    Args:
        content: the pickle.
        name: of the file, for errors.

    Raises:
        DataError: it holds anything else, or is damaged.
    """
    try:
        return resolved(_Reader(io.BytesIO(content), encoding="latin1").load(), _plain)
    except (CheckpointError, DataError) as error:
        raise DataError(f"{name!r} holds {error}") from None
    except DAMAGED as error:
        raise DataError(f"{name!r} is damaged, or no pickle: {error}") from error


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bytes | bytearray | int | float):
        return value
    raise DataError(f"a {type(value).__name__}; only arrays, lists, texts and numbers are read")
