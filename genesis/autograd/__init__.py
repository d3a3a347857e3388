"""Automatic differentiation: gradient modes, the backward pass, and checks by finite differences."""

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.autograd import function as function
    from genesis.autograd import functional as functional
    from genesis.autograd import grad_mode as grad_mode
    from genesis.autograd import graph as graph
    from genesis.autograd import profiler as profiler
    from genesis.autograd.anomaly import detect_anomaly as detect_anomaly
    from genesis.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
    from genesis.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
    from genesis.autograd.engine import backward as backward
    from genesis.autograd.engine import grad as grad
    from genesis.autograd.function import Function as Function
    from genesis.autograd.grad_mode import enable_grad as enable_grad
    from genesis.autograd.grad_mode import inference_mode as inference_mode
    from genesis.autograd.grad_mode import is_grad_enabled as is_grad_enabled
    from genesis.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
    from genesis.autograd.grad_mode import no_grad as no_grad
    from genesis.autograd.grad_mode import set_grad_enabled as set_grad_enabled
    from genesis.autograd.gradcheck import gradcheck as gradcheck
    from genesis.autograd.gradcheck import gradgradcheck as gradgradcheck
    from genesis.autograd.graph import GraphError as GraphError
    from genesis.autograd.variable import Variable as Variable

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "anomaly": "genesis.autograd.anomaly",
        "function": "genesis.autograd.function",
        "functional": "genesis.autograd.functional",
        "grad_mode": "genesis.autograd.grad_mode",
        "graph": "genesis.autograd.graph",
        "profiler": "genesis.autograd.profiler",
        "detect_anomaly": "genesis.autograd.anomaly:detect_anomaly",
        "is_anomaly_enabled": "genesis.autograd.anomaly:is_anomaly_enabled",
        "set_detect_anomaly": "genesis.autograd.anomaly:set_detect_anomaly",
        "backward": "genesis.autograd.engine:backward",
        "grad": "genesis.autograd.engine:grad",
        "Function": "genesis.autograd.function:Function",
        "enable_grad": "genesis.autograd.grad_mode:enable_grad",
        "inference_mode": "genesis.autograd.grad_mode:inference_mode",
        "is_grad_enabled": "genesis.autograd.grad_mode:is_grad_enabled",
        "is_inference_mode_enabled": "genesis.autograd.grad_mode:is_inference_mode_enabled",
        "no_grad": "genesis.autograd.grad_mode:no_grad",
        "set_grad_enabled": "genesis.autograd.grad_mode:set_grad_enabled",
        "gradcheck": "genesis.autograd.gradcheck:gradcheck",
        "gradgradcheck": "genesis.autograd.gradcheck:gradgradcheck",
        "GraphError": "genesis.autograd.graph:GraphError",
        "Variable": "genesis.autograd.variable:Variable",
    },
)
