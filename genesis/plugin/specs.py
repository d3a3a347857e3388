"""What a plugin declares, and the hooks through which it does: the manual for plugin authors.

A plugin is a thin module with one function per kind of thing it adds. The function returns declarations: a
name, a one-line summary, and where the object can be imported from when somebody asks for it. Nothing else
happens when the plugin is found, so ten installed plugins cost a listing ten small imports and a training
run none.

    # acme_schedules/plugin.py
    from genesis.plugin import SchedulerSpec, hookimpl

    @hookimpl
    def genesis_schedulers():
        return [SchedulerSpec("WSD", "acme_schedules.wsd:WSD", "Warm up, stay, decay.")]

The distribution tells Genesis about the module with one line for each kind of thing that it adds:

    # pyproject.toml
    [project.entry-points."genesis.schedulers"]
    acme = "acme_schedules.plugin"

The groups are `genesis.backends`, `genesis.communicators`, `genesis.kernels`, `genesis.optimizers` and
`genesis.schedulers`. Keep
`plugin.py` free of heavy imports, and the `__init__.py` beside it too: they are imported for every listing,
the targets only when they are used. Nor may the two use `genesis.optim.AdamW` or another name that plugins
supply: while they are imported, not every plugin has been asked.

A hook may leave out the argument `api`. One that takes it gets `API_VERSION`, the number that grows when
this contract changes, so that one release of a plugin can serve two of Genesis.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import pluggy

API_VERSION = 1

hookspec = pluggy.HookspecMarker("genesis")
hookimpl = pluggy.HookimplMarker("genesis")


class BackendSpec(NamedTuple):
    """Declare a device.

    Args:
        name: A Python identifier, what people write before the colon in `device("cuda:0")`.
        target: `"package.module:Class"`, a subclass of `genesis.backend.Backend`; imported at the first use
            of the device.
        summary: One line for the listings, ending with a full stop.
        aliases: Other names for the same device, such as `("gpu",)`.
        namespace: A module with functions of this device alone, such as `"genesis_cuda.namespace"`.

    Example:
        `BackendSpec("cuda", "genesis_cuda.backend:CudaBackend", "NVIDIA GPUs.", aliases=("gpu",))`
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()
    namespace: str = ""


class CommunicatorSpec(NamedTuple):
    """Declare a way in which processes that train together send each other arrays.

    Args:
        name: A Python identifier, what people write in `init_process_group("mpi")`.
        target: `"package.module:Class"`, a subclass of `genesis.distributed.Communicator`; imported when a
            group of several processes is made.
        summary: One line for the listings, ending with a full stop.
        aliases: Other names for the same communicator.

    Example:
        `CommunicatorSpec("mpi", "genesis_mpi.communicator:MPI", "MPI, by mpi4py.")`
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()


class OptimizerSpec(NamedTuple):
    """Declare an optimizer.

    Args:
        name: A Python identifier; for a class its own name. It becomes `genesis.optim.<name>`.
        target: `"package.module:attribute"`, a callable `(params, **options)` that returns a
            `genesis.optim.Optimizer`; imported at the first use of the name.
        summary: One line for the listings, ending with a full stop.
        aliases: Other names for the same optimizer. Those that are Python identifiers become attributes too.

    Example:
        `OptimizerSpec("Lion", "acme_optimizers.lion:Lion", "The sign of an interpolated momentum.")`
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()


class SchedulerSpec(NamedTuple):
    """Declare a learning-rate schedule.

    Args:
        name: A Python identifier. For a class its own name (`"LambdaLR"`), for a function a short one
            (`"cosine_with_warmup"`) with the function's name among the aliases.
        target: `"package.module:attribute"`, a callable `(optimizer, **options)` that returns a
            `genesis.optim.LRScheduler`, or a subclass of `genesis.optim.Schedule`: then
            `genesis.optim.<name>` is the shape, and `create_scheduler` drives it. Imported at the first use.
        summary: One line for the listings, ending with a full stop.
        aliases: Other names for the same schedule. Those that are Python identifiers become attributes of
            `genesis.optim` and `genesis.optim.lr_scheduler` too.

    Example:
        `SchedulerSpec("WSD", "acme_schedules.wsd:WSD", "Warm up, stay, decay.")`
    """

    name: str
    target: str
    summary: str
    aliases: tuple[str, ...] = ()


class KernelSpec(NamedTuple):
    """Declare a faster kernel for one operation of a device, which may be somebody else's.

    It is tried before the device's own kernel, and may return `NotImplemented` before it has written
    anything; then the device does what it does without it. Where several distributions offer a kernel for
    the same operation of a device, none of them is used until the user has chosen one.

    Args:
        op: The operation, one of `genesis.ops.OVERRIDABLE` (`"softmax"`), with `".backward"` for its
            gradient, or a step of an optimizer (`"adam_step"`).
        device: The name of the device, such as `"cpu"`.
        target: `"package.module:function"`, called with `(backend, *arguments, **options)`, views in place of
            tensors, as `docs/plugins/kernels.md` lists them; imported when the operation is first used there.
        summary: One line for the listings, ending with a full stop.

    Example:
        `KernelSpec("softmax", "cpu", "acme_kernels.softmax:softmax", "Softmax of short rows.")`
    """

    op: str
    device: str
    target: str
    summary: str

    @property
    def name(self) -> str:
        """What it is called: `"cpu:softmax"`."""
        return f"{self.device}:{self.op}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """There are none."""
        return ()


Spec: TypeAlias = "BackendSpec | CommunicatorSpec | KernelSpec | OptimizerSpec | SchedulerSpec"


@hookspec
def genesis_backends(api: int) -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Return the devices that this plugin adds.

    Args:
        api: `API_VERSION`; may be left out of the implementation.
    """


@hookspec
def genesis_communicators(api: int) -> Iterable[CommunicatorSpec]:  # type: ignore[empty-body]
    """Return the communicators that this plugin adds to `genesis.distributed`.

    Args:
        api: `API_VERSION`; may be left out of the implementation.
    """


@hookspec
def genesis_kernels(api: int) -> Iterable[KernelSpec]:  # type: ignore[empty-body]
    """Return the kernels that this plugin offers for devices.

    Args:
        api: `API_VERSION`; may be left out of the implementation.
    """


@hookspec
def genesis_optimizers(api: int) -> Iterable[OptimizerSpec]:  # type: ignore[empty-body]
    """Return the optimizers that this plugin adds to `genesis.optim`.

    Args:
        api: `API_VERSION`; may be left out of the implementation.
    """


@hookspec
def genesis_schedulers(api: int) -> Iterable[SchedulerSpec]:  # type: ignore[empty-body]
    """Return the learning-rate schedules that this plugin adds to `genesis.optim`.

    Args:
        api: `API_VERSION`; may be left out of the implementation.
    """


class Kind(NamedTuple):
    """One kind of contribution: how it is spoken of and the type of its declarations."""

    plural: str
    noun: str
    spec: type[Spec]

    @property
    def hook(self) -> str:
        """The hook that returns declarations of this kind."""
        return f"genesis_{self.plural}"

    @property
    def group(self) -> str:
        """The entry-point group of this kind."""
        return f"genesis.{self.plural}"


KINDS: dict[str, Kind] = {
    "backends": Kind("backends", "backend", BackendSpec),
    "communicators": Kind("communicators", "communicator", CommunicatorSpec),
    "kernels": Kind("kernels", "kernel", KernelSpec),
    "optimizers": Kind("optimizers", "optimizer", OptimizerSpec),
    "schedulers": Kind("schedulers", "scheduler", SchedulerSpec),
}
