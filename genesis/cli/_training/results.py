"""What a run leaves when it is over: the weights, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesis.checkpoint import save_checkpoint
from genesis.cli._console import console, table
from genesis.cli._training.progress import format_measure

if TYPE_CHECKING:
    from genesis.cli._training.folder import RunFolder
    from genesis.cli._training.loop import Training


def finish(training: Training, folder: RunFolder, seconds: float) -> None:
    """Save the weights by themselves, show what the model can do, and print the results."""
    save_checkpoint(training.model.state_dict(), folder.path / "model.ckpt")
    training.model.eval()
    sample = training.recipe.show(training.model, training.device, training.config.seed)
    if sample:
        console().print(f"\n{sample}\n", markup=False, soft_wrap=True)
    config, recipe = training.config, training.recipe
    best = recipe.better(range(len(training.values)), key=training.values.__getitem__)
    name, final = recipe.measure.replace("_", " "), training.values[-1]
    rows = [
        (name, format_measure(recipe.measure, final)),
        (f"best {name}", f"{format_measure(recipe.measure, training.values[best])} in epoch {best + 1}"),
        ("steps", f"{training.step} in {training.seconds:.1f} s of training"),
        ("this command", f"{seconds:.1f} s, imports and compilation included"),
        ("device", f"{config.device}, supplied by {config.supplied_by['device']}"),
        ("optimizer", f"{config.optimizer}, supplied by {config.supplied_by['optimizer']}"),
    ]
    if "scheduler" in config.supplied_by:
        rows.append(("schedule", f"{config.scheduler}, supplied by {config.supplied_by['scheduler']}"))
    rows.append(("run folder", str(folder)))
    table(("result", config.recipe), rows)
