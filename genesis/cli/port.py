"""`genesis port`: a PyTorch script with its imports changed, and what it uses that is not there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from genesis.cli._errors import Misuse


def port(
    script: Annotated[Path, typer.Argument(help="A PyTorch script.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the changed script here; a file that exists is kept."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what the script uses that is missing.")
    ] = False,
) -> None:
    """Change the imports of a PyTorch script to Genesis's, and say what it uses that Genesis lacks.

    Without --output the changed script goes to standard output. What is missing goes to standard error;
    names that are reached only while the script runs (methods of tensors) are not seen.
    """
    from genesis.cli._porting import lacking, swap_imports

    try:
        source = script.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Misuse(f"{script} is no text in UTF-8: {error}") from None
    try:
        changed, missing = swap_imports(source), lacking(source)
    except SyntaxError as error:
        raise Misuse(f"{script} is not a Python script: {error}") from None
    if output is not None and not check:
        try:
            with output.open("x", encoding="utf-8") as file:
                file.write(changed)
        except FileExistsError:
            raise Misuse(f"{output} exists; give another name, or remove it first") from None
    elif not check:
        typer.echo(changed, nl=False)
    for each in missing:
        typer.echo(f"{script}:{each.line}: {each.hint}", err=True)
    if changed == source:
        typer.echo(f"{script} imports nothing of PyTorch's", err=True)
    sys.exit(1 if missing else 0)
