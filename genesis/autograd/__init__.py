"""Automatic differentiation: gradient modes, the backward pass, and checks by finite differences."""

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.autograd.engine import backward as backward
    from genesis.autograd.engine import grad as grad
    from genesis.autograd.grad_mode import enable_grad as enable_grad
    from genesis.autograd.grad_mode import inference_mode as inference_mode
    from genesis.autograd.grad_mode import is_grad_enabled as is_grad_enabled
    from genesis.autograd.grad_mode import no_grad as no_grad
    from genesis.autograd.grad_mode import set_grad_enabled as set_grad_enabled
    from genesis.autograd.gradcheck import gradcheck as gradcheck
    from genesis.autograd.gradcheck import gradgradcheck as gradgradcheck
    from genesis.autograd.graph import GraphError as GraphError

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "backward": "genesis.autograd.engine:backward",
        "grad": "genesis.autograd.engine:grad",
        "enable_grad": "genesis.autograd.grad_mode:enable_grad",
        "inference_mode": "genesis.autograd.grad_mode:inference_mode",
        "is_grad_enabled": "genesis.autograd.grad_mode:is_grad_enabled",
        "no_grad": "genesis.autograd.grad_mode:no_grad",
        "set_grad_enabled": "genesis.autograd.grad_mode:set_grad_enabled",
        "gradcheck": "genesis.autograd.gradcheck:gradcheck",
        "gradgradcheck": "genesis.autograd.gradcheck:gradgradcheck",
        "GraphError": "genesis.autograd.graph:GraphError",
    },
)
