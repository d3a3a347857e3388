"""The command `genesis`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave the process with its exit code.

    Args:
        arguments: What follows `genesis`; by default those of the process.
    """
    from genesis._errors import AmbiguousNameError, GenesisError, PluginError, UnknownNameError
    from genesis.cli._app import app
    from genesis.cli._console import complain, show_warnings_plainly
    from genesis.cli._errors import FAILED, INTERRUPTED, MISUSED, Stopped

    show_warnings_plainly()
    try:
        app(args=_with_value_of_resume(sys.argv[1:] if arguments is None else arguments), prog_name="genesis")
    except Stopped as stop:
        complain(str(stop), stop.label)
        sys.exit(stop.code)
    except (UnknownNameError, AmbiguousNameError) as error:
        complain(str(error))
        sys.exit(MISUSED)
    except PluginError as error:
        from genesis.plugin._report import strict_mode

        if strict_mode():  # it promises a traceback
            raise
        complain(str(error))
        sys.exit(FAILED)
    except GenesisError as error:
        complain(str(error))
        sys.exit(FAILED)
    except OSError as error:
        if error.errno is None:  # not from the system, so it is no news for the user but a mistake of ours
            raise
        complain(str(error))
        sys.exit(FAILED)
    except KeyboardInterrupt:
        complain("nothing was saved", "interrupted")
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _with_value_of_resume(arguments: Sequence[str]) -> list[str]:
    """Write `--resume` without a folder as `--resume=`: typer knows no option whose value may be left out."""
    given = list(arguments)
    for i, word in enumerate(given):
        if word == "--resume" and (i + 1 == len(given) or given[i + 1].startswith("-")):
            given[i] = "--resume="
    return given
