"""Compile what recipes need, by doing each thing that they do once."""

from __future__ import annotations

import time
from contextlib import nullcontext
from itertools import islice
from typing import Any

import genesis
from genesis import recipes
from genesis.cli._console import console
from genesis.cli._training.command import Request, check_device, configure


def run(names: list[str], optimizer: str | None, device: str | None) -> None:
    """Warm these recipes up, and tell of each kernel that had to be compiled."""
    wanted = list(dict.fromkeys(recipes.find(name) for name in names))
    where = check_device(device or "cpu")
    started = time.perf_counter()
    compiled = known = 0
    seconds = 0.0
    screen = console()
    status: Any = screen.status("") if screen.is_terminal else nullcontext()

    def tell(kernel: str, new: bool, took: float) -> None:
        nonlocal compiled, known, seconds
        if not new:
            known += 1
            return
        compiled += 1
        seconds += took
        screen.print(f"{compiled:4d}  {kernel:<24}{took:6.2f} s", highlight=False)

    where.backend.watch_kernels(tell)
    try:
        with status as shown:
            for name in wanted:
                if shown is not None:
                    shown.update(f"{name}: compiling what it needs")
                screen.print(name)
                _do_all(name, optimizer, where)
    finally:
        where.backend.watch_kernels(None)
    folder = where.backend.kernel_folder()
    if not compiled and not known and folder is None:
        print(f"the device {str(where)!r} compiles no kernels; took {time.perf_counter() - started:.1f} s")
        return
    print(
        f"{compiled} kernel{'s' * (compiled != 1)} compiled in {seconds:.1f} s, {known} "
        f"{'was' if known == 1 else 'were'} there already; "
        + (f"kept in {folder}" if folder else "there is no folder where they can be kept")
    )


def _do_all(name: str, optimizer: str | None, device: genesis.device) -> None:
    """Two steps, one with the batch that is left at the end of the data, an evaluation, and what it shows."""
    from genesis.cli._training.loop import Training

    request = Request(
        recipe=name, optimizer=optimizer, optimizer_options=[], lr=None, scheduler=None, scheduler_options=[],
        device=str(device), epochs=None, batch_size=None, seed=None, threads=None, out=None, resume=None,
        save_every=0.0,
    )  # fmt: skip
    recipe = recipes.load(name)()
    training = Training(configure(request, name, recipe, device, None), recipe)
    batches = list(islice(training.loader, 2))
    rest = len(recipe.data) % training.config.batch_size  # type: ignore[arg-type]
    if rest:
        batches.append([column[:rest] for column in batches[-1]])
    for batch in batches:
        training.train_batch(batch)
    training.evaluate()
    recipe.show(training.model, device, 0)
