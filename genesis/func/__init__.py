"""Functions that make functions: gradients, Jacobians, and operations for each slice of a batch.

They nest: the gradient of a gradient is ``grad(grad(f))``.  What a function is given counts as its input
and nothing else does, so the results have a graph only where an input has one.
"""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.func.batch import vmap as vmap
    from genesis.func.derivatives import grad as grad
    from genesis.func.derivatives import grad_and_value as grad_and_value
    from genesis.func.derivatives import hessian as hessian
    from genesis.func.derivatives import jacfwd as jacfwd
    from genesis.func.derivatives import jacrev as jacrev
    from genesis.func.derivatives import jvp as jvp
    from genesis.func.derivatives import linearize as linearize
    from genesis.func.derivatives import vjp as vjp
    from genesis.func.modules import stack_module_state as stack_module_state
    from genesis.nn.utils.stateless import functional_call as functional_call

_NAMES = {
    "batch": ("vmap",),
    "derivatives": (
        "grad",
        "grad_and_value",
        "hessian",
        "jacfwd",
        "jacrev",
        "jvp",
        "linearize",
        "vjp",
    ),
    "modules": ("stack_module_state",),
}

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.func.{module}:{name}" for module, names in _NAMES.items() for name in names},
        "functional_call": "genesis.nn.utils.stateless:functional_call",
    },
)
