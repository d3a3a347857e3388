"""Write docs/compatibility.md: what of PyTorch's public surface is here, compared, different, missing.

    python docs/make_compatibility.py            # needs the extra `parity`

The cases come from the table in tests/parity/table, the names from the installed PyTorch.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import torch

import genesis

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "compatibility.md"
sys.path.insert(0, str(ROOT / "tests" / "parity"))

from table import ENTRIES  # noqa: E402 - it lies beside the tests
from table._entry import cases  # noqa: E402


class Part(NamedTuple):
    """A module or class of PyTorch's: its path, what people call it, and which tests compare all of it."""

    path: str
    title: str
    elsewhere: str = ""


OPTIMIZERS = "tests/parity/test_optimizers_torch.py` and `tests/parity/test_more_optimizers_torch.py"
SCHEDULERS = "tests/parity/lr_scheduler"
PARTS = (
    Part("", "`torch`"),
    Part("Tensor", "`torch.Tensor`"),
    Part("nn", "`torch.nn`"),
    Part("nn.functional", "`torch.nn.functional`"),
    Part("nn.init", "`torch.nn.init`"),
    Part("nn.utils", "`torch.nn.utils`"),
    Part("nn.utils.rnn", "`torch.nn.utils.rnn`"),
    Part("optim", "`torch.optim`", OPTIMIZERS),
    Part("optim.lr_scheduler", "`torch.optim.lr_scheduler`", SCHEDULERS),
    Part("autograd", "`torch.autograd`"),
    Part("linalg", "`torch.linalg`"),
    Part("special", "`torch.special`"),
    Part("utils.data", "`torch.utils.data`"),
)

# What PyTorch's modules hold without meaning it for their users.
_INTERNAL_PREFIXES = ("cudnn_", "mkldnn_", "miopen_", "quantized_", "fbgemm_", "has_torch_function", "sym_")
_INTERNAL_SUFFIXES = ("_copy", "Storage", "Type", "_stats", "_elemt")


def found(library: Any, path: str) -> Any:
    """What a path leads to, or None."""
    at = library
    for part in filter(None, path.split(".")):
        try:
            at = getattr(at, part)
        except AttributeError:
            try:
                at = importlib.import_module(f"{at.__name__}.{part}")
            except (ImportError, AttributeError):
                return None
    return at


def meant_for_users(path: str, name: str, value: Any) -> bool:
    """True for the functions and classes of a module that PyTorch documents."""
    if name.startswith(("_", *_INTERNAL_PREFIXES)) or name.endswith(_INTERNAL_SUFFIXES):
        return False
    text = getattr(value, "__doc__", None)
    if inspect.ismodule(value) or not callable(value) or not isinstance(text, str) or not text.strip():
        return False
    home = getattr(value, "__module__", None) or ""
    if path in ("", "Tensor"):
        if inspect.isclass(value) and not issubclass(value, BaseException):
            return home.startswith("torch.") or value in (
                torch.Tensor,
                torch.Size,
                torch.Generator,
                torch.device,
            )
        return not home or home.startswith("torch")
    return not home or (home.startswith("torch") and not home.startswith("torch.overrides"))


def public(path: str) -> list[str]:
    """The documented names of one of PyTorch's modules or classes."""
    owner = found(torch, path)
    names = getattr(owner, "__all__", None) if path.startswith(("optim", "utils", "nn.utils.rnn")) else None
    return sorted(
        name for name in names or dir(owner) if meant_for_users(path, name, getattr(owner, name, None))
    )


def lines(words: list[str]) -> list[str]:
    """Words wrapped to lines of prose."""
    out = [""]
    for i, word in enumerate(words):
        text = f"`{word}`" + ("," if i + 1 < len(words) else "")
        if len(out[-1]) + len(text) > 108:
            out.append("")
        out[-1] = f"{out[-1]} {text}".strip()
    return out


def page() -> str:
    """The text of the page."""
    counted = Counter(case.entry.name for case in cases(ENTRIES))
    refused = sum(len(entry.errors) for entry in ENTRIES)
    version = torch.__version__.partition("+")[0]
    total = sum(counted.values())
    text = [
        "# What of PyTorch is here",
        "",
        f"Compared with PyTorch {version}. `python docs/make_compatibility.py` writes this page from the",
        f"table in `tests/parity/table`: {len(ENTRIES)} entries, {total} cases of values, types, shapes and",
        "gradients over element types, memory layouts and options, and",
        f"{refused} calls that both refuse. `pytest tests/parity` runs them.",
        "",
        "A name is *compared* when the table has cases of it, or of the function of the same name (a method",
        "is one line that calls it), or when tests of their own compare the whole module.",
        "",
        "| module | documented in PyTorch | here | compared |",
        "|---|---|---|---|",
    ]
    sections: list[str] = []
    for part in PARTS:
        names, ours = public(part.path), found(genesis, part.path)
        have = [n for n in names if hasattr(ours, n)]
        absent = [n for n in names if n not in have]
        prefix = f"{part.path}." if part.path else ""
        done = [n for n in have if part.elsewhere or is_compared(part.path, n, counted)]
        text.append(f"| {part.title} | {len(names)} | {len(have)} | {len(done)} |")
        sections += ["", f"## {part.title}", ""]
        if part.elsewhere:
            sections += [f"Compared as a whole by `{part.elsewhere}`.", ""]
        rest = [n for n in have if n not in done]
        for title, some in (
            ("Compared", done),
            ("Here, without cases in the table", rest),
            ("Missing", absent),
        ):
            if some:
                sections += [f"{title} ({len(some)}):", "", *lines(some), ""]
        different = [
            e for e in ENTRIES if e.differs and e.name.startswith(prefix) and "." not in e.name[len(prefix) :]
        ]
        if different:
            sections += ["Different:", ""]
            sections += [f"- `{e.name}`: {e.differs}" for e in different]
            sections.append("")
    text += ["", "What is missing says so where it is used: an `AttributeError` that names what is nearest."]
    return "\n".join(text + sections).rstrip() + "\n"


def is_compared(path: str, name: str, counted: Counter[str]) -> bool:
    """True when the table has cases of a name, or of the function that it is another way to call."""
    candidates = {f"{path}.{name}".lstrip(".")}
    if path in ("", "Tensor", "nn.functional"):
        plain = name.removesuffix("_") if path == "Tensor" else name
        candidates |= {name, f"Tensor.{name}", f"nn.functional.{name}", plain, f"Tensor.{plain}"}
        candidates |= {f"linalg.{plain}", f"special.{plain}"}
    return any(counted[c] for c in candidates)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
