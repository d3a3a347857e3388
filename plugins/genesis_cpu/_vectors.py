"""Vectors as values of kernels: a loop over them is vector code without the help of the compiler.

``v_load`` reads 64 bytes at an address; all else works on what it gave, element by element.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from genesis_cpu._math import _exp, _log, _Value
from genesis_cpu._processor import BYTES

__all__ = [
    "v_add",
    "v_exp",
    "v_finite",
    "v_from",
    "v_inverse",
    "v_larger",
    "v_load",
    "v_log",
    "v_mul",
    "v_same",
    "v_seen",
    "v_store",
    "v_sub",
]


class Vector(types.Type):
    """64 bytes of float32 or float64."""

    def __init__(self, element: Any) -> None:
        self.element = element
        super().__init__(name=f"vector({element})")


@cache
def _kind(element: Any) -> Any:
    number, size = (ir.FloatType(), 4) if element == types.float32 else (ir.DoubleType(), 8)
    return ir.VectorType(number, BYTES // size)


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _kind(kind.element))


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


@intrinsic
def v_load(typing, address, zero):
    """What lies there; ``zero`` says the type."""

    def generate(context, builder, signature, values):
        kind = _kind(zero)
        return builder.load(_pointer(builder, values[0], kind), align=BYTES // kind.count)

    return Vector(zero)(types.int64, zero), generate


@intrinsic
def v_store(typing, address, x):
    """Put it there."""

    def generate(context, builder, signature, values):
        kind = _kind(x.element)
        builder.store(values[1], _pointer(builder, values[0], kind), align=BYTES // kind.count)
        return context.get_dummy_value()

    return types.void(types.int64, x), generate


@intrinsic
def v_same(typing, number):
    """The number in all places."""

    def generate(context, builder, signature, values):
        kind = _kind(number)
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), values[0], ir.IntType(32)(0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), places)

    return Vector(number)(number), generate


def _one(formula: Callable[[_Value], _Value]) -> Any:
    def generate(context, builder, signature, values):
        return formula(_Value(builder, values[0])).v

    return intrinsic(lambda typing, x: (x(x), generate))


def _two(formula: Callable[[_Value, _Value], _Value]) -> Any:
    def generate(context, builder, signature, values):
        return formula(*[_Value(builder, v) for v in values]).v

    return intrinsic(lambda typing, x, y: (x(x, x), generate))


def _by_library(name: str, single: Callable[[_Value], _Value]) -> Callable[[_Value], _Value]:
    """``single`` for float32; the library's function for each float64."""

    def function(x: _Value) -> _Value:
        if x.v.type.element == ir.FloatType():
            return single(x)
        result = x.v
        for i in range(x.v.type.count):
            place = ir.IntType(32)(i)
            value = _Value(x.b, x.b.extract_element(x.v, place)).library(name)
            result = x.b.insert_element(result, value.v, place)
        return _Value(x.b, result)

    return function


v_add, v_sub, v_mul = _two(lambda x, y: x + y), _two(lambda x, y: x - y), _two(lambda x, y: x * y)
#: the larger of both; the second where one is nan
v_larger = _two(lambda x, y: x.choose(y.less(x), y))
v_exp, v_log = _one(_by_library("exp", _exp)), _one(_by_library("log", _log))
#: 1 / x, and 0 for 0
v_inverse = _one(lambda x: _Value(x.b, x._lift(0.0)).choose(x.equal(0.0), _Value(x.b, x._lift(1.0)) / x))
#: x, and 0 for -inf
v_finite = _one(lambda x: _Value(x.b, x._lift(0.0)).choose(x.equal(-float("inf")), x))
#: x, but -inf where the second is -inf
v_seen = _two(lambda x, y: y.choose(y.equal(-float("inf")), x))


@intrinsic
def v_from(typing, x, first):
    """``x``, but -inf in the places before ``first``."""

    def generate(context, builder, signature, values):
        kind = _kind(x.element)
        word = ir.IntType(32)
        places = ir.VectorType(word, kind.count)
        same = ir.Constant(places, None)
        undefined = ir.Constant(places, ir.Undefined)
        start = builder.insert_element(undefined, builder.trunc(values[1], word), word(0))
        start = builder.shuffle_vector(start, undefined, same)
        before = builder.icmp_signed("<", ir.Constant(places, list(range(kind.count))), start)
        return builder.select(before, ir.Constant(kind, [-float("inf")] * kind.count), values[0])

    return x(x, types.int64), generate
