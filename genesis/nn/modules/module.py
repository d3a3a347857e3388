"""PyTorch's place of ``Module``, and the hooks of every module."""

from genesis.nn._hooks import (
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from genesis.nn._state import IncompatibleKeys
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter

_IncompatibleKeys = IncompatibleKeys

__all__ = [
    "Module",
    "Parameter",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]
