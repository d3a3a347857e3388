"""A team of threads that share the parts of one kernel: whoever is free takes the next part.

The thread that launches a kernel is one of the team and works as the others do, so a launch is over even when
no other thread gets a core: on a busy machine a step takes what one core needs, and never waits for a thread
that the system has put aside (but for a part that such a thread has begun). Which thread takes a part changes
nothing in the results.

A ticket, one atomic word, says all that there is to agree upon: the number of the launch (32 bits), into how
many parts it is cut (16), and which part is next (16). Idle threads look at it for a while, because the next
kernel of a training step comes within microseconds, and then sleep until they are called.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, call-arg, var-annotated"
from __future__ import annotations

import os
import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from genesis_cpu._pointers import call, int64_pointer

__all__ = ["member", "share"]

# Places in the memory of a team, in bytes; what different threads write to lies on different cache lines.
_TICKET, _DONE, _BUSY, _FUNCTION, _N, _ARGS, _SLEEPERS, STOP, MUTEX, CONDITION = (
    0, 64, 128, 136, 144, 152, 192, 200, 256, 320,
)  # fmt: skip
BYTES = 384

#: how often an idle thread looks at the ticket before it sleeps, and how often before it lets others run in
#: between: about 200 and 20 microseconds
_LOOKS, _FIRST_LOOKS = 6000, 600

_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _I64.as_pointer())


@intrinsic
def load(typing, address):
    """The integer at an address, with all that was written before it was stored."""

    def generate(context, builder, signature, values):
        return builder.load_atomic(_pointer(builder, values[0]), "seq_cst", 8)

    return types.int64(types.int64), generate


@intrinsic
def store(typing, address, value):
    """Write an integer so that whoever reads it sees all that was written before."""

    def generate(context, builder, signature, values):
        builder.store_atomic(values[1], _pointer(builder, values[0]), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def add(typing, address, value):
    """Add to the integer at an address, whatever other threads do."""

    def generate(context, builder, signature, values):
        return builder.atomic_rmw("add", _pointer(builder, values[0]), values[1], "seq_cst")

    return types.int64(types.int64, types.int64), generate


@intrinsic
def swap(typing, address, old, new):
    """Write ``new`` if the integer there is ``old``; whether it was."""

    def generate(context, builder, signature, values):
        address, old, new = values
        result = builder.cmpxchg(_pointer(builder, address), old, new, "seq_cst", "seq_cst")
        return builder.extract_value(result, 1)

    return types.boolean(types.int64, types.int64, types.int64), generate


@intrinsic
def pause(typing):
    """Wait for some ten nanoseconds, and leave the core to its other thread."""
    machine = platform.machine().lower()

    def generate(context, builder, signature, values):
        name, given = "", []
        if machine in ("x86_64", "amd64", "i686"):
            name = "llvm.x86.sse2.pause"
        elif machine in ("arm64", "aarch64"):
            name, given = "llvm.aarch64.hint", [_I32(1)]  # yield
        if name:
            kind = ir.FunctionType(ir.VoidType(), [v.type for v in given])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)
        return context.get_dummy_value()

    return types.void(), generate


def _system(name: str, *kinds: Any) -> Any:
    """A function of the operating system that takes integers and addresses, and whose result is ignored."""

    def generate(context, builder, signature, values):
        given = [builder.trunc(v, k) if k is _I32 else v for v, k in zip(values, kinds, strict=True)]
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_I32, kinds), name)
        builder.call(function, given)
        return context.get_dummy_value()

    if not kinds:
        return intrinsic(lambda typing: (types.void(), generate))
    if len(kinds) == 1:
        return intrinsic(lambda typing, a: (types.void(types.int64), generate))
    return intrinsic(lambda typing, a, b: (types.void(types.int64, types.int64), generate))


if os.name == "nt":  # sleepers look again every millisecond
    _let_run, _sleep = _system("SwitchToThread"), _system("Sleep", _I32)

    @register_jitable
    def _rest(team, seen):
        _sleep(1)

    @register_jitable
    def _wake(team, many):
        pass

else:
    _let_run = _system("sched_yield")
    _lock, _unlock = _system("pthread_mutex_lock", _I64), _system("pthread_mutex_unlock", _I64)
    _wait, _signal = _system("pthread_cond_wait", _I64, _I64), _system("pthread_cond_signal", _I64)

    @register_jitable
    def _rest(team, seen):
        """Sleep until the ticket is another."""
        _lock(team + MUTEX)
        add(team + _SLEEPERS, 1)  # before the last look: who launches looks here after it changed the ticket
        while load(team + _TICKET) == seen and load(team + STOP) == 0:
            _wait(team + CONDITION, team + MUTEX)
        add(team + _SLEEPERS, -1)
        _unlock(team + MUTEX)

    @register_jitable
    def _wake(team, many):
        sleeping = load(team + _SLEEPERS)
        if sleeping:
            _lock(team + MUTEX)
            for _ in range(min(many, sleeping)):
                _signal(team + CONDITION)
            _unlock(team + MUTEX)


@register_jitable
def _work(team):
    """Take parts while there are any; the ticket when there are none."""
    while True:
        ticket = load(team + _TICKET)
        parts, part = (ticket >> 16) & 0xFFFF, ticket & 0xFFFF
        if part >= parts:
            return ticket
        # the number of the launch is in the ticket, so a part of a launch that is over cannot be taken
        if swap(team + _TICKET, ticket, ticket + 1):
            job = int64_pointer(team)
            n = job[_N // 8]
            call(job[_FUNCTION // 8], job[_ARGS // 8], n * part // parts, n * (part + 1) // parts)
            add(team + _DONE, 1)


@register_jitable
def share(team, function, n, parts, args):
    """Run a kernel over 0 ... n - 1 in at most 65535 parts; alone if the team is busy with another launch."""
    if team == 0 or not swap(team + _BUSY, 0, 1):
        for part in range(parts):
            call(function, args, n * part // parts, n * (part + 1) // parts)
        return
    job = int64_pointer(team)
    job[_FUNCTION // 8], job[_N // 8], job[_ARGS // 8] = function, n, args
    store(team + _DONE, 0)
    store(team + _TICKET, (((load(team + _TICKET) >> 32) + 1) & 0x7FFFFFFF) << 32 | parts << 16)
    _wake(team, parts - 1)
    _work(team)
    looks = 0
    while load(team + _DONE) < parts:
        pause()
        looks += 1
        if looks > _FIRST_LOOKS:
            _let_run()
    store(team + _BUSY, 0)


@register_jitable
def member(team):
    """What a thread of the team does all its life."""
    while load(team + STOP) == 0:
        seen = _work(team)
        looks = 0
        while load(team + _TICKET) == seen and looks < _LOOKS:
            pause()
            looks += 1
            if looks > _FIRST_LOOKS and looks % 16 == 0:
                _let_run()
        if load(team + _TICKET) == seen:
            _rest(team, seen)
