"""Numba as a compiler: a Python function goes in, object code comes out.

This is the only file that knows how Numba is made inside. What ``numba.cfunc`` does more costs time: it wraps
each function for Python's errors, generates code for what is inlined anyway, and needs all of Numba to be
loaded again. Where another version of Numba lacks what is used here, ``cfunc`` does it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genesis_cpu._ahead import asks_ahead

#: of every kernel: a division that allows it (``_math.ratio_``) may begin with the processor's estimate, and
#: loops take the widest registers there are: LLVM leaves half of them empty on Intel's processors
_ATTRIBUTES = '"reciprocal-estimates"="vec-divf:1" "prefer-vector-width"="512"'
WORDS = 3  # a kernel takes its argument block, and the first and the last of its part of the range


def object_code(function: Callable[..., Any], name: str) -> bytes:
    """Compile a kernel; ``name`` is what it is called in the code, and all else there is local.

    Raises:
        NumbaError: the function is not one that Numba can compile.
        RuntimeError: the function needs the runtime of Numba.
        Unsupported: this Numba is not as this file knows it.
    """
    try:
        from llvmlite import binding, ir
        from numba import types
        from numba.core import compiler, dispatcher, registry
        from numba.core.compiler_lock import global_compiler_lock
        from numba.core.errors import NumbaError
    except ImportError as error:
        raise Unsupported(str(error)) from error

    base: Any = getattr(dispatcher, "_FunctionCompiler", None)
    if base is None:
        raise Unsupported("numba.core.dispatcher")

    class Bare(base):  # type: ignore[misc]
        """Compiles the function alone."""

        def _customize_flags(self, flags: Any) -> Any:
            flags.no_cpython_wrapper = flags.no_cfunc_wrapper = flags.no_compile = True
            return flags

    try:
        options = {"nogil": True, "error_model": "numpy"}
        with global_compiler_lock, _uncollected():
            bare = Bare(function, registry.cpu_target, options, {}, compiler.Compiler)
            context = registry.cpu_target.target_context
            kind = context.codegen()._library_class
            optimize = kind._optimize_final_module
            kind._optimize_final_module = _later  # what is inlined is optimized once, where it is inlined
            try:
                compiled = bare.compile((types.int64,) * WORDS, types.void)
            finally:
                kind._optimize_final_module = optimize
            library, native = compiled.library, compiled.fndesc
            # a function of C that calls it
            module = context.create_module(f"{name}_entry")
            callee = ir.Function(
                module,
                context.call_conv.get_function_type(native.restype, native.argtypes),
                native.llvm_func_name,
            )
            word = ir.IntType(64)
            entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [word] * WORDS), name)
            set.add(entry.attributes, _ATTRIBUTES)  # its own method knows no attribute that is a text
            builder = ir.IRBuilder(entry.append_basic_block())
            context.call_conv.call_function(builder, callee, native.restype, native.argtypes, entry.args)
            builder.ret_void()
            library.add_ir_module(module)
            final = library._final_module
            for other in dict.fromkeys(library._linking_libraries):
                final.link_in(other._get_module_for_linking(), preserve=True)
            for values in (final.functions, final.global_variables):
                for value in values:
                    if not value.is_declaration and value.name != name:
                        value.linkage = binding.Linkage.internal
            library._optimize_final_module()
            for value in (*final.functions, *final.global_variables):
                if value.is_declaration and value.name.lower().startswith(("numba", "nrt_", ".numba")):
                    raise RuntimeError(
                        f"the kernel {name} needs {value.name} of Numba's runtime: "
                        "a kernel must do without lists, arrays, strings and exceptions"
                    )
            text = str(final)
            changed = asks_ahead(text)
            if changed != text:  # reading it again takes milliseconds
                final = binding.parse_assembly(changed)
            final.verify()
            return bytes(library._codegen._tm.emit_object(final))
    except NumbaError:
        raise
    except (AttributeError, TypeError) as error:
        raise Unsupported(str(error)) from error


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage, which takes a tenth of the time of a compilation."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _later(library: Any) -> None:
    """Optimize nothing yet."""


class Unsupported(Exception):
    """This version of Numba is another inside."""


def address(function: Callable[..., Any], owners: list[Any]) -> int:
    """The address of a kernel that ``numba.cfunc`` compiled for this process; ``owners`` keep it alive."""
    from numba import cfunc

    made: Any = cfunc(f"void({','.join(['int64'] * WORDS)})", error_model="numpy", nogil=True)(function)
    owners.append(made)
    return int(made.address)
