"""`genesis checkpoint`: whether checkpoints are whole, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Check checkpoints, and look into them.", no_args_is_help=True, rich_markup_mode=None)

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="A checkpoint, or a folder of them, such as a run folder.")],
    as_json: _JSON = False,
) -> None:
    """Read checkpoints completely and compare their checksums.

    The exit code is 0 if all are as they were written, 1 if one is not or there is none, 2 if there is no
    such path.
    """
    from genesis.checkpoint import verify
    from genesis.cli._console import table

    found = []
    for file in _files(path):
        try:
            verify(file)
            found.append({"file": str(file), "good": True, "problem": ""})
        except (RuntimeError, OSError) as error:
            found.append({"file": str(file), "good": False, "problem": str(error)})
    if as_json:
        print(json.dumps(found, indent=2))
    elif found:
        rows = [(str(e["file"]), "good" if e["good"] else "DAMAGED", str(e["problem"])) for e in found]
        table(("checkpoint", "state", "problem"), rows)
    if not found:
        from genesis.cli._errors import Stopped

        raise Stopped(f"there is no checkpoint in {path}")
    if not all(entry["good"] for entry in found):
        raise typer.Exit(1)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A checkpoint, or a folder, of which the newest is taken.")],
    tensors: Annotated[bool, typer.Option("--tensors", help="List each tensor.")] = False,
    as_json: _JSON = False,
) -> None:
    """Show what is in a checkpoint, by its headers alone; `genesis checkpoint verify` reads it all."""
    from genesis.checkpoint import inspect

    files = _files(path)
    if not files:
        from genesis.cli._errors import Stopped

        raise Stopped(f"there is no checkpoint in {path}")
    told = inspect(files[-1])
    if as_json:
        print(json.dumps(told, indent=2, default=str))
    else:
        _show(told, tensors)


def _files(path: Path) -> list[Path]:
    """The checkpoints that a path stands for, the newest last."""
    if not path.exists():
        from genesis.cli._errors import Misuse

        raise Misuse(f"there is no {path}")
    if not path.is_dir():
        return [path]
    return [
        file for folder in (path, path / "checkpoints") for file in sorted(folder.glob("*.ckpt"), key=_order)
    ]


def _order(path: Path) -> list[int]:
    """The numbers in a file's name: steps, or epoch and batch."""
    return [int(part) for part in path.stem.split("-") if part.isdigit()]


def _show(told: dict[str, Any], tensors: bool) -> None:
    from genesis.cli._console import table

    content = told["content"]
    files = "" if len(told["files"]) == 1 else f" in {len(told['files'])} files"
    rows = [("checkpoint", told["path"], ""), ("format", f"{told['format']}{files}", _size(told["bytes"]))]
    for name, value in content.items() if isinstance(content, dict) else [("content", content)]:
        own = [t for t in told["tensors"] if t["name"] == name or t["name"].startswith(f"{name}.")]
        size = _size(sum(t["bytes"] for t in own)) if own else ""
        rows.append((str(name), _summary(value, len(own)), size))
    for place, made in told["providers"].items():
        for by in made:
            rows.append((f"supplied: {place}", f"{by['name']} of {by['distribution']} {by['version']}", ""))
    table(("what", "content", "size"), rows, wrap=1)
    if tensors:
        rows = [(t["name"], f"{t['dtype']}{t['shape']}", _size(t["bytes"])) for t in told["tensors"]]
        table(("tensor", "type and shape", "size"), rows, wrap=0)


def _summary(value: Any, tensors: int) -> str:
    if tensors and isinstance(value, dict | list | tuple):
        return f"{len(value)} entries, {tensors} tensor{'s' * (tensors != 1)}"
    text = str(value)
    return text if len(text) <= 200 else f"{text[:190]} ... ({len(text)} characters)"


def _size(count: int) -> str:
    from rich.filesize import decimal

    return decimal(count)
