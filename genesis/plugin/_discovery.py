"""Finding plugins and asking each what it declares, so that no plugin can hurt another."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import importlib_metadata
import pluggy
from pluggy import HookimplOpts, HookspecOpts

from genesis._errors import PluginError
from genesis.plugin import specs
from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._installed import installed
from genesis.plugin.specs import API_VERSION, KINDS, KernelSpec, Kind, Spec

# What this distribution supplies is built in. It is also the name under which `pip` knows Genesis.
CORE_DISTRIBUTION = "genesis-dl"

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


_SPECS = tuple(kind.spec for kind in KINDS.values())


class Plugin:
    """One plugin in the role of one kind: what it is, whether it works, and what it declares.

    Attributes:
        kind: `"backends"`, `"communicators"`, `"kernels"`, `"optimizers"` or `"schedulers"`.
        name: The name of the entry point, or the one given to `register`.
        module: The module that the entry point names, or a description of the registered object.
        distribution: The distribution that installed it; for a registered object its name.
        version: The version of the distribution, or an empty string.
        status: `"ok"`, `"duplicate"` (all it declares is there already), `"disabled"` or `"broken"`.
        error: What went wrong with a broken plugin.
        deprecated: What it uses that will go away, in the words of the contract; empty if nothing.
        milliseconds: How long it took to import the plugin's module and ask its hook.
        contributions: What it adds, without what other plugins had declared already.
    """

    def __init__(self, kind: str, name: str, module: str, distribution: str, version: str) -> None:
        self.kind = kind
        self.name = name
        self.module = module
        self.distribution = distribution
        self.version = version
        self.status = "found"
        self.error: BaseException | None = None
        self.deprecated = ""
        self._unreadable: PluginError | None = None  # what is wrong with its metadata
        self.milliseconds = 0.0
        self.specs: tuple[Spec, ...] = ()
        self.contributions: tuple[Contribution, ...] = ()

    def __repr__(self) -> str:
        return f"<Plugin {self.name!r} of {self.origin}, {self.kind}: {self.status}>"

    @property
    def builtin(self) -> bool:
        """Whether it comes with Genesis itself."""
        return fold(self.distribution) == fold(CORE_DISTRIBUTION)

    @property
    def origin(self) -> str:
        """The distribution and its version, as messages print them."""
        return f"{self.distribution} {self.version}".rstrip()

    def is_any_of(self, names: frozenset[str]) -> bool:
        """Whether folded names, of which `"*"` is all that is not built in, include this plugin."""
        own = {fold(self.distribution), fold(self.name)}
        return not own.isdisjoint(names) or ("*" in names and not self.builtin)

    def declare(self) -> None:
        """Import the plugin's module and keep what it declares."""
        start = time.perf_counter()
        try:
            with asking():
                if self._unreadable is not None:
                    raise PluginError(str(self._unreadable)) from self._unreadable.__cause__
                if not _MODULE.fullmatch(self.module):
                    raise PluginError(
                        f"the entry point {self.name!r} should name a module, such as 'acme.plugin'; "
                        f"got {self.module!r}"
                    )
                module = import_module(self.module)
                manager = hooks_of(module)
                self.specs = _asked(manager, KINDS[self.kind])
                self.deprecated = manager.deprecated
        finally:
            self.milliseconds = (time.perf_counter() - start) * 1e3


class _Conversation(threading.local):
    """What the plugin that this thread is asking has asked us; None while we ask no plugin."""

    requests: list[str] | None = None


_conversation = _Conversation()


@contextmanager
def asking() -> Iterator[None]:
    """Ask a plugin what it declares; fail if it asks back: before all have declared there is no answer."""
    requests = _conversation.requests = []
    try:
        yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if requests and not isinstance(error, PluginError):
            # `from genesis.optim import LambdaLR` reports "cannot import name" and loses our reason.
            raise PluginError(_refusal(requests[0])) from error
        raise
    finally:
        _conversation.requests = None
    if requests:  # it was refused, and has swallowed the refusal
        raise PluginError(_refusal(requests[0]))


def refuse_while_declaring(request: str) -> None:
    """Raise if it is a plugin that asks, while it declares itself."""
    if _conversation.requests is not None:
        _conversation.requests.append(request)
        raise PluginError(_refusal(request))


def _refusal(request: str) -> str:
    return (
        f"a plugin may not ask for {request} while it declares itself; "
        "import it inside the function that needs it, or in the module of the target"
    )


def discover(kind: Kind, generation: object) -> list[Plugin]:
    """Return the installed plugins of a kind, the built-in ones first, without importing any of them.

    Args:
        kind: The kind.
        generation: The metadata are read again when this is another object than the last time.
    """
    found: dict[tuple[str, str, str], Plugin] = {}
    for entry in installed(generation):
        if entry.group == kind.group:
            plugin = Plugin(kind.plural, entry.name, entry.value, entry.distribution, entry.version)
            plugin._unreadable = entry.error
            found.setdefault((fold(entry.distribution), entry.name, entry.value), plugin)
    return sorted(found.values(), key=lambda plugin: (not plugin.builtin, plugin.distribution, plugin.name))


def core_is_installed() -> bool:
    """Whether Genesis has metadata, that is, was installed and not only put on the path."""
    return bool(list(importlib_metadata.distributions(name=CORE_DISTRIBUTION)))


class Hooks(pluggy.PluginManager):
    """The hooks of one plugin.

    One manager for each plugin means that a plugin which fails half-way leaves nothing behind and that two
    of them cannot get into each other's way.

    Attributes:
        deprecated: What the plugin uses that will go away, in the words of the contract.
    """

    def __init__(self) -> None:
        super().__init__("genesis")
        self.deprecated = ""
        self._going: dict[str, tuple[Warning | None, Mapping[str, Warning]]] = {}
        self.add_hookspecs(specs)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> HookspecOpts | None:
        if not name.startswith("genesis_"):  # looking at everything else there took half of a declaration
            return None
        options = super().parse_hookspec_opts(module_or_class, name)
        if options is not None:
            # pluggy would warn at once, for every manager anew, without saying whose plugin it is; and where
            # warnings are errors, the plugin would be broken.
            self._going[name] = (options.get("warn_on_impl"), options.get("warn_on_impl_args") or {})
            options = {**options, "warn_on_impl": None, "warn_on_impl_args": None}
        return options

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> HookimplOpts | None:
        # A module has eight such names, none of which is a hook, and each look costs ten microseconds.
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)

    def note_deprecated(self, caller: pluggy.HookCaller) -> None:
        """Keep what is deprecated of a hook that the plugin has."""
        hook, arguments = self._going[caller.name]
        used = {name for implementation in caller.get_hookimpls() for name in implementation.argnames}
        found = [hook, *(warning for name, warning in arguments.items() if name in used)]
        self.deprecated = " ".join([self.deprecated, *(str(w) for w in found if w is not None)]).strip()


def hooks_of(plugin: object) -> Hooks:
    """Return a plugin manager that holds this plugin alone, its hooks checked."""
    manager = Hooks()
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise PluginError(_wrong_hook(error, manager)) from error
    known = [kind.hook for kind in KINDS.values()]
    for caller in manager.get_hookcallers(plugin) or []:
        if not caller.has_spec():
            near = get_close_matches(caller.name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"the hooks are {', '.join(known)}"
            raise PluginError(f"unknown hook {caller.name!r}; {hint}")
        manager.note_deprecated(caller)
    return manager


def _wrong_hook(error: pluggy.PluginValidationError, manager: Hooks) -> str:
    """Say what is wrong with the arguments of a hook; pluggy says it in terms of its own."""
    text = " ".join(str(error).split())
    found = re.search(r"for hook '(\w+)'.*Argument\(s\) \{(.*)\} are declared", text)
    if found is None:
        return text
    spec = getattr(manager.hook, found[1]).spec
    given = " and ".join(repr(name) for name in spec.argnames)
    return (
        f"the hook {found[1]!r} asks for {found[2]}, and Genesis with contract {API_VERSION} gives it only "
        f"{given}: it was written for a newer Genesis, or the argument is misspelt"
    )


def _arguments() -> dict[str, Any]:
    """What hooks may ask for. A plugin gets what it names, so more may be added here and in `specs`."""
    return {"api": API_VERSION}


def kinds_of(plugin: object) -> list[Kind]:
    """Return the kinds of things that a plugin adds."""
    hooks = {caller.name for caller in hooks_of(plugin).get_hookcallers(plugin) or []}
    return [kind for kind in KINDS.values() if kind.hook in hooks]


def declarations(plugin: object, kind: Kind) -> tuple[Spec, ...]:
    """Ask a plugin for its declarations of one kind and check each of them."""
    return _asked(hooks_of(plugin), kind)


def _asked(manager: Hooks, kind: Kind) -> tuple[Spec, ...]:
    hook: pluggy.HookCaller = getattr(manager.hook, kind.hook)
    if not hook.get_hookimpls():
        raise PluginError(f"it is listed under the entry points {kind.group!r} but has no hook {kind.hook!r}")
    answers: list[Any] = hook(**_arguments())
    if not answers:  # pluggy leaves None out
        raise PluginError(f"{kind.hook}() returned None; it should return a list of {kind.spec.__name__}")
    declared = tuple(_checked(item, kind) for item in _items(answers[0], kind))
    seen: dict[str, str] = {}
    for spec in declared:
        for name in (spec.name, *spec.aliases):
            if seen.setdefault(fold(name), spec.target) != spec.target:
                raise PluginError(f"{kind.hook}() declares the name {name!r} twice, for different targets")
    return declared


def _items(answer: Any, kind: Kind) -> Iterable[Any]:
    if isinstance(answer, (*_SPECS, str, bytes)) or not isinstance(answer, Iterable):
        raise PluginError(f"{kind.hook}() should return a list of {kind.spec.__name__}, got {answer!r}")
    return answer


def _checked(item: Any, kind: Kind) -> Spec:
    if not isinstance(item, kind.spec):
        raise PluginError(f"{kind.hook}() should return {kind.spec.__name__} items, got {item!r}")
    target, summary = item.target, item.summary
    problem = _bad_name(item)
    if problem:
        pass
    elif not (isinstance(target, str) and _TARGET.fullmatch(target)):
        problem = 'the target should read "package.module:attribute"'
    elif not (isinstance(summary, str) and summary.strip() and "\n" not in summary):
        problem = "the summary should be one line of text"
    elif isinstance(item.aliases, str) or not all(_is_alias(alias) for alias in item.aliases):
        problem = "the aliases should be a tuple of names without spaces and colons"
    if problem:
        raise PluginError(f"bad declaration: {problem}; got {item!r}")
    return item if isinstance(item, KernelSpec) else item._replace(aliases=tuple(item.aliases))


def _bad_name(item: Spec) -> str:
    if not isinstance(item, KernelSpec):
        good = isinstance(item.name, str) and item.name.isidentifier()
        return "" if good else "the name should be a Python identifier"
    if not (isinstance(item.device, str) and item.device.isidentifier()):
        return "the device should be the name of one, without an index"
    if not (isinstance(item.op, str) and all(part.isidentifier() for part in item.op.split("."))):
        return 'the op should be the name of an operation, such as "softmax" or "softmax.backward"'
    return ""


def _is_alias(alias: object) -> bool:
    return isinstance(alias, str) and re.fullmatch(r"[\w.+-]*\w[\w.+-]*", alias) is not None
