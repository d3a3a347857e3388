"""Element types: their names, sizes, and the rules that combine them.

NumPy is not imported here; a dtype knows the NumPy name of itself, which every backend understands.
"""

from __future__ import annotations

from typing import Any

from genesis._errors import GenesisError

_INSTANCES: dict[str, dtype] = {}
UNAVAILABLE: dict[str, dtype] = {}


class DtypeError(GenesisError, TypeError, NotImplementedError):
    """There is no such element type, or an operation is not defined for it."""


class dtype:
    """The type of a tensor's elements, for instance ``genesis.float32``.

    Attributes:
        name: the NumPy name, such as ``"float32"``.
        itemsize: bytes of one element.
        is_floating_point: True for float16, bfloat16, float32 and float64.
        is_half: True for float16 and bfloat16, whose elements take 16 bits and are computed with in float32.
        special: whether operations have to look twice: always at a half, and at float32 while an ``autocast``
            is on in some thread. One attribute, because small operations pay for each that they read.
    """

    __slots__ = ("_rank", "is_floating_point", "is_half", "itemsize", "kind", "name", "special")

    name: str
    itemsize: int
    kind: str
    is_floating_point: bool
    is_half: bool
    special: bool
    _rank: int

    def __init__(self, name: str, itemsize: int, kind: str, rank: int) -> None:
        self.name, self.itemsize, self.kind, self._rank = name, itemsize, kind, rank
        self.is_floating_point = kind == "f"
        self.is_half = self.special = kind == "f" and itemsize == 2
        _INSTANCES[name] = self

    @property
    def is_complex(self) -> bool:
        return False

    @property
    def is_signed(self) -> bool:
        return self.kind in "fi"

    def __repr__(self) -> str:
        return f"genesis.{self.name}"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return as_dtype, (self.name,)

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: object) -> dtype:
        return self


bool_ = dtype("bool", 1, "b", 0)
uint8 = dtype("uint8", 1, "u", 1)
int8 = dtype("int8", 1, "i", 1)
int16 = dtype("int16", 2, "i", 2)
int32 = dtype("int32", 4, "i", 3)
int64 = dtype("int64", 8, "i", 4)
float32 = dtype("float32", 4, "f", 6)
float64 = dtype("float64", 8, "f", 7)


class _Bfloat16(dtype):
    """NumPy has no such type; the package ml_dtypes, which gives it one, is loaded where the type is used."""

    __slots__ = ()


float16 = half = dtype("float16", 2, "f", 5)
bfloat16 = _Bfloat16("bfloat16", 2, "f", 5)

ALL: tuple[dtype, ...] = (
    bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64,
)  # fmt: skip

_ALIASES = {
    "float": float32,
    "double": float64,
    "int": int32,
    "long": int64,
    "short": int16,
    "half": float16,
    "BFloat16Tensor": bfloat16,
    "BoolTensor": bool_,
    "ByteTensor": uint8,
    "CharTensor": int8,
    "DoubleTensor": float64,
    "FloatTensor": float32,
    "HalfTensor": float16,
    "IntTensor": int32,
    "LongTensor": int64,
    "ShortTensor": int16,
}


class _Unavailable(dtype):
    """A type of PyTorch's that a script can name and compare with, and that no tensor has.

    ``as_dtype`` refuses it, so everything that would make or convert a tensor does.
    """

    __slots__ = ("_complex",)

    def __init__(self, name: str, itemsize: int, kind: str) -> None:
        self.name, self.itemsize, self._rank = name, itemsize, -1
        self.kind, self._complex = "f" if kind == "c" else kind, kind == "c"
        self.is_floating_point = kind == "f"
        self.is_half = self.special = False
        UNAVAILABLE[name] = self

    @property
    def is_complex(self) -> bool:
        return self._complex

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _unavailable, (self.name,)


def _unavailable(name: str) -> dtype:
    return UNAVAILABLE[name]


float8_e4m3fn = _Unavailable("float8_e4m3fn", 1, "f")
float8_e5m2 = _Unavailable("float8_e5m2", 1, "f")
complex32 = chalf = _Unavailable("complex32", 4, "c")
complex64 = cfloat = _Unavailable("complex64", 8, "c")
complex128 = cdouble = _Unavailable("complex128", 16, "c")
uint16 = _Unavailable("uint16", 2, "u")
uint32 = _Unavailable("uint32", 4, "u")
uint64 = _Unavailable("uint64", 8, "u")
UNAVAILABLE.update(chalf=chalf, cfloat=cfloat, cdouble=cdouble)
_NEAREST = {"f": "float16", "u": "int64"}
_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


def as_dtype(value: object) -> dtype:
    """Return the dtype that ``value`` names: its name, a NumPy dtype, ``bool``, ``int``, ``float``, itself.

    Raises:
        TypeError: there is no such type.
    """
    if type(value) is dtype:
        return value
    if value is bfloat16:
        import ml_dtypes  # noqa: F401 - from now on NumPy knows the name

        return bfloat16
    if value is float:
        return default_dtype()
    if value is int:
        return int64
    if value is bool:
        return bool_
    name = value if isinstance(value, str) else getattr(value, "name", None) or getattr(value, "__name__", "")
    name = str(name).removeprefix("genesis.").removeprefix("torch.").removeprefix("cuda.")
    found = _INSTANCES.get(name) or _ALIASES.get(name)
    if found is bfloat16:
        return as_dtype(found)
    if found is None:
        known = ", ".join(d.name for d in ALL)
        missing = complex64 if value is complex else UNAVAILABLE.get(name)
        if missing is None:
            raise DtypeError(f"the dtype {value!r} is unknown; Genesis has {known}")
        near = "two tensors, of real and imaginary parts" if missing.is_complex else _NEAREST[missing.kind]
        raise DtypeError(
            f"the dtype {value!r} is not implemented; Genesis has {known}; the nearest is {near}"
        )
    return found


_default = [float32]


def default_dtype() -> dtype:
    """The floating-point type of new tensors (float32 unless changed)."""
    return _default[0]


def set_default_dtype(d: object) -> None:
    """Make ``d`` (float32, float64, float16 or bfloat16) the type of new floating-point tensors.

    Raises:
        TypeError: ``d`` is not a floating-point type.
    """
    new = as_dtype(d)
    if not new.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, but got {new}")
    _default[0] = new


def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest type that holds both, by PyTorch's table.

    uint8 with int8 gives int16, and float16 with bfloat16 float32.
    """
    if a is b:
        return a
    if a.is_half and b.is_half:
        return float32
    if (a.kind == "u" and b.kind == "i") or (a.kind == "i" and b.kind == "u"):
        signed = a if a.kind == "i" else b
        return int16 if signed is int8 else signed
    return a if a._rank > b._rank else b


def can_cast(from_: dtype, to: dtype) -> bool:
    """True when numbers of ``from_`` may be written into ``to``: bools into integers, integers into floats.

    That is PyTorch's rule for writing a result into a tensor of another type.
    """
    from_, to = as_dtype(from_), as_dtype(to)
    return _CATEGORY[from_.kind] <= _CATEGORY[to.kind]


def fitting(value: Any, dtype: dtype) -> Any:
    """A number as an element of ``dtype``; a negative one wraps around in uint8, as in PyTorch.

    Raises:
        RuntimeError: an integer type or a half does not hold it.
    """
    if dtype.is_half and isinstance(value, int | float):
        if abs(value) > finfo(dtype).max and abs(value) != float("inf"):
            raise RuntimeError(
                f"value cannot be converted to {dtype} without overflow: {value}; it holds up to "
                f"{finfo(dtype).max}"
            )
        return value
    if dtype.kind not in "iu" or not isinstance(value, int | float):
        return value
    high = 2 ** (8 * dtype.itemsize - (dtype.kind == "i")) - 1
    low = -high - 1 if dtype.kind == "i" else 0
    if low <= value <= high:
        return value
    if dtype.kind == "u" and -high <= value < 0:
        return int(value) + high + 1
    raise RuntimeError(
        f"value cannot be converted to {dtype} without overflow: got {value}, it holds {low} to {high}"
    )


def result_type(tensors: list[tuple[dtype, int]], scalars: list[object]) -> dtype:
    """PyTorch's result type of an operation.

    Tensors with dimensions come first, zero-dimensional tensors next, Python numbers last; a lower
    class changes the result only when it is of a higher category (bool < integer < float).

    Args:
        tensors: (dtype, number of dimensions) of each tensor operand.
        scalars: the Python number operands.
    """
    best: dtype | None = None
    for zero_dim in (False, True):
        group: dtype | None = None
        for d, ndim in tensors:
            if (ndim == 0) is zero_dim:
                group = d if group is None else promote_types(group, d)
        if group is not None and (best is None or _CATEGORY[group.kind] > _CATEGORY[best.kind]):
            best = group
    for value in scalars:
        d = bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else default_dtype()
        if best is None or _CATEGORY[d.kind] > _CATEGORY[best.kind]:
            best = d
    if best is None:
        raise TypeError("result_type needs at least one operand")
    return best


class layout:
    """How a tensor lies in memory, ``genesis.strided``: the only one that is implemented."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"genesis.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(layout):
    """The order in which the axes lie in memory; row by row is the only one that is implemented."""


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


#: of each floating-point type: bits of the fraction, least and greatest exponent, whole decimal digits
_LIMITS = {
    "float16": (10, -14, 15, 3),
    "bfloat16": (7, -126, 127, 2),
    "float32": (23, -126, 127, 6),
    "float64": (52, -1022, 1023, 15),
}


class finfo:
    """Limits of a floating-point type: ``bits eps max min tiny smallest_normal resolution dtype``.

    Args:
        type: the type; the default floating-point type unless given.

    Raises:
        TypeError: it is not a floating-point type.

    Example:
        >>> genesis.finfo(genesis.float32).eps
        1.1920928955078125e-07
    """

    def __init__(self, type: object = None) -> None:
        d = default_dtype() if type is None else as_dtype(type)
        if not d.is_floating_point:
            raise TypeError(f"finfo is about floating-point types, {d} is not one; use genesis.iinfo")
        digits, least, greatest, decimals = _LIMITS[d.name]
        self.dtype, self.bits = d.name, 8 * d.itemsize
        self.eps = 2.0**-digits
        self.max = (2 - self.eps) * 2.0**greatest
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**least
        self.resolution = float(f"1e-{decimals}")

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution}, min={self.min}, max={self.max}, eps={self.eps}, "
            f"smallest_normal={self.smallest_normal}, tiny={self.tiny}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer type: ``bits max min dtype``.

    Raises:
        TypeError: it is not an integer type.
    """

    def __init__(self, type: object) -> None:
        d = as_dtype(type)
        if d.kind not in "ui":
            raise TypeError(f"iinfo is about integer types, {d} is not one; use genesis.finfo")
        self.dtype, self.bits = d.name, 8 * d.itemsize
        self.max = (1 << (self.bits - d.is_signed)) - 1
        self.min = -self.max - 1 if d.is_signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
