"""What the listings return: names that know where they come from."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genesis._errors import PluginError

if TYPE_CHECKING:
    from inspect import Signature


def fold(name: str) -> str:
    """Return the form in which names are compared: without case, hyphens and underscores."""
    return re.sub("[-_]", "", name.casefold())


class Contribution(str):
    """One thing that a plugin adds: a name, as a string, that also tells where it comes from.

    The string is the shortest name that finds the thing: `"WSD"`, or `"acme-schedules:WSD"` where the bare
    name means something else (`status` is `"shadowed"`) or is claimed by several distributions
    (`"ambiguous"`).

    Attributes:
        kind: `"backends"`, `"communicators"`, `"kernels"`, `"optimizers"` or `"schedulers"`.
        name: The name as the plugin declared it; for a kernel `"device:op"`.
        summary: One line.
        aliases: Other names that find it.
        target: `"package.module:attribute"`, imported by `load()`.
        namespace: A module of functions of a backend, or an empty string.
        op, device: What a kernel computes and where, else empty strings.
        plugin: The name of the plugin that declared it.
        distribution: The distribution that the plugin belongs to; for a plugin registered at run time its
            own name.
        version: The version of the distribution, or an empty string.
        status: `"ok"`, `"shadowed"` or `"ambiguous"`.

    Example:
        `[(s, s.distribution, s.summary) for s in genesis.list_schedulers()]`
    """

    kind: str
    name: str
    summary: str
    aliases: tuple[str, ...]
    target: str
    namespace: str
    op: str
    device: str
    plugin: str
    distribution: str
    version: str
    status: str

    def __new__(cls, text: str, **attributes: Any) -> Contribution:
        self = super().__new__(cls, text)
        vars(self).update(attributes)
        return self

    @property
    def qualified(self) -> str:
        """The name that is never ambiguous: `distribution:Name`."""
        return f"{self.distribution}:{self.name}"

    @property
    def identifiers(self) -> list[str]:
        """The name and those aliases that can be attributes of a module."""
        return [name for name in (self.name, *self.aliases) if name.isidentifier()]

    @property
    def origin(self) -> str:
        """The distribution and its version, as messages print them."""
        return f"{self.distribution} {self.version}".rstrip()

    def load(self) -> Any:
        """Import the target and return it.

        Raises:
            PluginError: The target cannot be imported; its own exception is the cause.
        """
        module, _, path = self.target.partition(":")
        try:
            value: Any = import_module(module)
            for attribute in path.split("."):
                value = getattr(value, attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may call sys.exit(), and a Rust extension may panic
            raise PluginError(
                f"{self.name!r} of {self.origin} cannot be imported from {self.target!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
        return value

    def signature(self) -> Signature:
        """Import the target and return the signature of calling it."""
        from inspect import signature

        return signature(self.load())
