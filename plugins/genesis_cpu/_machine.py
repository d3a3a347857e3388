"""Machine code, loaded and called without Numba.

Numba takes a third of a second to import, and a call through its dispatcher half a microsecond. So what it
compiled is kept as object code, which LLVM alone can load, and the functions that Python calls are ordinary
functions of C, written as LLVM instructions.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

_lock = threading.RLock()
_engine: Any = None
_alive: list[Any] = []  # what C holds a pointer to


def target_machine() -> Any:
    """The compiler of LLVM for this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def assemble(text: str) -> bytes:
    """The object code of LLVM instructions."""
    from llvmlite import binding

    machine = target_machine()
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = binding.get_process_triple(), str(machine.target_data)
    module.verify()
    return bytes(machine.emit_object(module))


def load(code: bytes, *names: str) -> list[int]:
    """Load object code; the addresses of the functions called so.

    Other names in it must be local: all code is in one place.
    """
    global _engine
    from llvmlite import binding

    with _lock:
        if _engine is None:
            machine = target_machine()
            module = binding.parse_assembly("")
            module.triple = binding.get_process_triple()
            _engine = binding.create_mcjit_compiler(module, machine)
        _engine.add_object_file(binding.ObjectFileRef.from_data(code))
        _engine.finalize_object()
        found = [int(_engine.get_function_address(name)) for name in names]
    if not all(found):
        raise ValueError(f"no functions {names} in this code")
    return found


class _Method(ctypes.Structure):
    """``PyMethodDef`` of CPython's C API."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_FASTCALL = 0x0080  # f(self, PyObject **arguments, Py_ssize_t how_many)


def callable_at(address: int, name: str) -> Any:
    """The Python function whose code lies at an address."""
    method = _Method(name.encode(), address, _FASTCALL, None)
    _alive.append(method)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return make(ctypes.addressof(method), None, None)
