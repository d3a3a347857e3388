"""Asking a fresh interpreter, so that nothing which this process has imported hides anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

Fields = dict[str, Any]

_SCRIPT = Path(__file__).with_name("_script.py")
_SECONDS = 60
# What the user has set for plugins must not decide about a plugin by itself.
_LEFT_OUT = ("GENESIS_DISABLE_PLUGINS", "GENESIS_PREFER", "GENESIS_STRICT_PLUGINS")


class Answer(NamedTuple):
    """What an interpreter has found.

    Attributes:
        found: Its answer; empty if it ended without one.
        printed: What it wrote to standard output and standard error.
        end: How it ended without an answer, or an empty string.
    """

    found: Fields
    printed: str
    end: str


def ask(question: str, entries: Sequence[Fields]) -> Answer:
    """Let a new interpreter, with the path of this one, `"declare"` plugins or `"load"` targets."""
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    with tempfile.TemporaryDirectory(prefix="genesis-check-") as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "answer.json")
        path = [str(Path(item).absolute()) for item in sys.path]
        request.write_text(
            json.dumps({"question": question, "path": path, "entries": list(entries)}), encoding="utf-8"
        )
        try:
            done = subprocess.run(
                [sys.executable, str(_SCRIPT), str(request), str(answer)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            printed = "".join(_text(part) for part in (late.stdout, late.stderr))
            return Answer({}, printed, f"had not finished after {_SECONDS} s")
        printed = done.stdout + done.stderr
        if not answer.exists():
            return Answer({}, printed, f"ended by itself with exit code {done.returncode}")
        return Answer(json.loads(answer.read_text(encoding="utf-8")), printed, "")


def _text(part: bytes | str | None) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else part or ""
