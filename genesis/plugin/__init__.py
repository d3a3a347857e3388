"""All that a plugin needs to declare itself, and what there is to ask about plugins.

`genesis.plugin.specs` is the manual for plugin authors. Three environment variables steer what is used:

GENESIS_DISABLE_PLUGINS: Distributions or plugins to leave out, separated by commas; `*` is all but the
    built-in ones.
GENESIS_PREFER: Who supplies a name that several claim, such as `WSD=acme-schedules`, separated by commas.
GENESIS_STRICT_PLUGINS: With `1`, a broken plugin is an error with a traceback instead of a warning.
"""

from __future__ import annotations

from genesis._errors import AmbiguousNameError, PluginError, PluginWarning, UnknownNameError
from genesis.plugin._contribution import Contribution
from genesis.plugin._discovery import Plugin
from genesis.plugin._registry import (
    Registry,
    list_backends,
    list_communicators,
    list_kernels,
    list_optimizers,
    list_plugins,
    list_schedulers,
    registry,
)
from genesis.plugin._state import disable, isolated, prefer, refresh, register, unregister, when_changed
from genesis.plugin.specs import (
    API_VERSION,
    BackendSpec,
    CommunicatorSpec,
    KernelSpec,
    OptimizerSpec,
    SchedulerSpec,
    hookimpl,
)

__all__ = [
    "API_VERSION",
    "AmbiguousNameError",
    "BackendSpec",
    "CommunicatorSpec",
    "Contribution",
    "KernelSpec",
    "OptimizerSpec",
    "Plugin",
    "PluginError",
    "PluginWarning",
    "Registry",
    "SchedulerSpec",
    "UnknownNameError",
    "disable",
    "hookimpl",
    "isolated",
    "list_backends",
    "list_communicators",
    "list_kernels",
    "list_optimizers",
    "list_plugins",
    "list_schedulers",
    "prefer",
    "refresh",
    "register",
    "registry",
    "unregister",
    "when_changed",
]
