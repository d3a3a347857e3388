"""Who supplied the parts of a checkpoint: written beside them, and compared with what is installed."""

from __future__ import annotations

import json
import os
from typing import Any

import genesis
from genesis._errors import CheckpointError, GenesisError
from genesis.plugin import _report, registry
from genesis.plugin._discovery import CORE_DISTRIBUTION
from genesis.plugin._provenance import PartState, Provider, providers_of


def collect(obj: object) -> str:
    """Return who supplied the states and devices in `obj`, as JSON: a dict of lists, by place."""
    parts: dict[str, PartState] = {}
    devices: set[str] = set()
    _visit(obj, "checkpoint", parts, devices)
    try:
        found = {place: providers_of(part) for place, part in parts.items()}
        found["tensors"] = [Provider.of(registry("backends").find(name)) for name in sorted(devices)]
    except GenesisError:  # nothing that is wrong with plugins may keep a checkpoint from being written
        return ""
    known = {place: [provider._asdict() for provider in made] for place, made in found.items() if made}
    return json.dumps(known) if known else ""


def _visit(obj: Any, place: str, parts: dict[str, PartState], devices: set[str]) -> None:
    """Find every state that knows its origin, and the device of every tensor."""
    if isinstance(obj, PartState):
        parts[place] = obj
    if isinstance(obj, genesis.Tensor):
        devices.add(obj.device.type)
    elif isinstance(obj, dict):
        for key, item in obj.items():
            _visit(item, f"{place}[{key!r}]", parts, devices)
    elif isinstance(obj, list | tuple):
        for index, item in enumerate(obj):
            _visit(item, f"{place}[{index}]", parts, devices)


def providers(path: str | os.PathLike[str]) -> dict[str, list[Provider]]:
    """Return who supplied the parts of a checkpoint, without reading its tensors.

    Args:
        path: The file.

    Returns:
        From a place, such as `"checkpoint['optimizer']"` or `"tensors"` (their devices), to what was supplied
        and by whom. States of classes that no plugin declares are left out.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is not a Genesis checkpoint, or damaged.

    Example:
        >>> genesis.checkpoint.providers("last.pth")["checkpoint['optimizer']"][0].distribution
        'genesis-dl'
    """
    from genesis.checkpoint._format import read_metadata

    return _read(os.fspath(path), read_metadata(path).get("genesis.providers", ""))


def _read(name: str, text: str) -> dict[str, list[Provider]]:
    try:
        return {
            str(place): [Provider(**{key: str(value) for key, value in each.items()}) for each in made]
            for place, made in (json.loads(text) if text else {}).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint {name!r} has unreadable providers: {error}") from error


def warn_of_missing(name: str, text: str) -> None:
    """Warn, once for each distribution, of what the checkpoint was written with and is not here."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for place, made in _read(name, text).items():
        for provider in made:
            if provider.distribution != CORE_DISTRIBUTION and provider.missing():
                what = f"the {_noun(provider.kind)} {provider.name!r} ({place})"
                lacking.setdefault((provider.distribution, provider.version), []).append(what)
    for (distribution, version), parts in lacking.items():
        pinned = f"{distribution}=={version}" if version else distribution
        _report.warn(
            f"the checkpoint {name!r} was written with {', '.join(dict.fromkeys(parts))} of "
            f"{f'{distribution} {version}'.rstrip()}, which is not available here. Its values are read as "
            f"they are; to go on with them, run `pip install {pinned}`, or see `genesis plugins` if it is "
            "installed."
        )


def _noun(kind: str) -> str:
    try:
        return registry(kind).kind.noun
    except GenesisError:
        return kind
