"""From what the user typed to a finished run."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import genesis
from genesis import recipes
from genesis.backend import Backend
from genesis.cli._console import warn
from genesis.cli._errors import Misuse, Stopped
from genesis.cli._training.config import NO_SCHEDULER, Config, parse_options
from genesis.cli._training.folder import RunFolder, new_folder
from genesis.optim._lengths import TRAINING_NAMES, WARMUP_NAMES
from genesis.plugin import UnknownNameError, list_kernels, registry
from genesis.plugin._kernels import offered_kernel

if TYPE_CHECKING:
    from genesis.cli._training.team import Team
    from genesis.recipes.recipe import Recipe


@dataclass(frozen=True)
class Request:
    """What the user typed; None is what was left out."""

    recipe: str | None
    optimizer: str | None
    optimizer_options: list[str]
    lr: float | None
    scheduler: str | None
    scheduler_options: list[str]
    device: str | None
    epochs: int | None
    batch_size: int | None
    seed: int | None
    threads: int | None
    out: str | None
    resume: str | None
    save_every: float


def run(request: Request) -> None:
    """Train as requested."""
    with ExitStack() as claimed:
        _run(request, claimed)


def _run(request: Request, claimed: ExitStack) -> None:
    from genesis.cli._training.team import Team

    team = Team(join=True)
    try:
        if team.leads:
            _lead(request, claimed, team)
        else:
            _follow(request, team)
    except BaseException as error:
        team.failed(error)
        raise


def _follow(request: Request, team: Team) -> None:
    """Train with the process that leads: it has chosen what, and it alone saves and reports."""
    team.be_quiet()
    config = Config.from_json(team.from_leader(str), "the first process")
    from genesis.cli._training.loop import Training, follow

    device = check_device(config.device)
    _set_threads(device, request.threads)
    training = Training(config, recipes.load(config.recipe)(), team)
    training.join()
    follow(training)


def _lead(request: Request, claimed: ExitStack, team: Team) -> None:
    started = time.perf_counter()
    folder = _folder(request)
    config: Config | None = None
    if request.resume is not None and folder is not None:
        claimed.enter_context(folder)
        if folder.has_config:
            config = folder.read_config()
            _refuse_contradictions(request, config, folder)
        elif request.recipe is None:
            raise Misuse(f"nothing was saved in {folder} yet; name the recipe to begin there")
        else:
            warn(f"nothing was saved in {folder} yet; the run begins with the options given here")
    if config is None and request.recipe is None:
        raise Misuse(f"name what to train: {', '.join(recipes.RECIPES)}")
    name = recipes.find(config.recipe if config else str(request.recipe))
    _check_names(request)

    from genesis.cli._training.checkpoints import RunCheckpoints
    from genesis.cli._training.loop import Training, train
    from genesis.cli._training.progress import progress_on
    from genesis.cli._training.results import finish

    if config is None:
        device = check_device(request.device or "cpu")
        recipe = recipes.load(name)()
        config = configure(request, name, recipe, device, _set_threads(device, request.threads))
    else:
        _check_suppliers(config, folder)
        device = check_device(config.device)
        recipe = recipes.load(name)()
        _set_threads(device, config.threads if team.size == 1 else request.threads)
        _warn_of_other_kernels(config, device)
    team.from_leader(config.to_json)
    training = Training(config, recipe, team)
    if folder is None:
        folder = RunFolder(new_folder(name))
    if request.resume is None:
        claimed.enter_context(folder)
    if not folder.has_config:
        folder.write_config(config)
    with RunCheckpoints(folder.path, training, request.save_every) as checkpoints:
        checkpoints.resume()
        training.join()
        progress = progress_on(training, folder, resumed=checkpoints.resumed_from)
        try:
            with progress:
                train(training, folder, checkpoints, progress)
        finally:
            from genesis.cli._training.curves import draw_quietly

            title = f"{name}: {config.optimizer}, {config.scheduler}"
            draw_quietly(folder.path, title, recipe.measure, training.steps_per_epoch)
    finish(training, folder, time.perf_counter() - started)


def _folder(request: Request) -> RunFolder | None:
    """The folder that the user named, if it suits what is to be done."""
    named = request.resume or request.out
    if request.resume and request.out and Path(request.resume) != Path(request.out):
        raise Misuse(f"--resume {request.resume} and --out {request.out} differ; leave one out")
    if not named:
        if request.resume is not None:
            raise Misuse("--resume needs the folder of the run: --resume FOLDER")
        return None
    folder = RunFolder(Path(named))
    if folder.path.exists() and not folder.path.is_dir():
        raise Misuse(f"{folder} is a file; a run needs a folder")
    if request.resume is not None and not folder.path.exists():
        raise Misuse(f"there is no folder {folder} to resume; begin a run with --out {folder}")
    if request.resume is None and folder.holds_a_run:
        raise Misuse(f"{folder} already holds a run; go on with --resume, or name another folder with --out")
    return folder


def _check_names(request: Request) -> None:
    """Fail early, before anything heavy is loaded, when a name is unknown."""
    if request.optimizer is not None:
        registry("optimizers").find(request.optimizer)
    if request.scheduler not in (None, NO_SCHEDULER):
        registry("schedulers").find(str(request.scheduler))
    if request.device is not None:
        _named_device(request.device)


def _named_device(name: str) -> genesis.device:
    try:
        return genesis.device(name)
    except ValueError as error:
        raise Misuse(str(error)) from None


def check_device(name: str) -> genesis.device:
    device = _named_device(name)
    device.backend  # noqa: B018 - a device that cannot be used here says so now
    return device


def _set_threads(device: genesis.device, threads: int | None) -> int | None:
    """Set the threads of a device that has such a setting; return how many it uses."""
    backend = device.backend
    if type(backend).set_num_threads is Backend.set_num_threads:
        if threads is not None:
            raise Misuse(f"the device {str(device)!r} has no setting for threads; leave --threads out")
        return None
    if threads is not None:
        try:
            backend.set_num_threads(threads)
        except ValueError as error:
            raise Misuse(f"--threads {threads}: {error}") from None
    return backend.get_num_threads()


def configure(
    request: Request, name: str, recipe: Recipe, device: genesis.device, threads: int | None
) -> Config:
    """Fill in what the user left out."""
    optimizer = registry("optimizers").find(request.optimizer or recipe.optimizer)
    options = parse_options(request.optimizer_options, "--optimizer-option")
    if request.lr is not None:
        if "lr" in options:
            raise Misuse("--lr and --optimizer-option lr=... are the same; leave one out")
        options["lr"] = request.lr
    if optimizer == registry("optimizers").find(recipe.optimizer):
        options = {"lr": recipe.lr, **recipe.optimizer_options, **options}
    elif "lr" not in options and _needs(optimizer.signature().parameters.get("lr")):
        options["lr"] = recipe.lr
    supplied_by = {"device": registry("backends").find(device.type).origin, "optimizer": optimizer.origin}
    supplied_by |= _kernels(device)

    epochs, batch_size = request.epochs or recipe.epochs, request.batch_size or recipe.batch_size
    schedule = parse_options(request.scheduler_options, "--scheduler-option")
    scheduler = request.scheduler or recipe.scheduler
    if scheduler == NO_SCHEDULER:
        if schedule:
            raise Misuse("--scheduler-option needs a schedule, but --scheduler is none")
    else:
        found = registry("schedulers").find(scheduler)
        scheduler, supplied_by["scheduler"] = str(found), found.origin
        steps = epochs * -(-len(recipe.data) // batch_size)  # type: ignore[arg-type]
        warmup = round(recipe.warmup * steps)
        known: dict[str, Any] = dict.fromkeys(TRAINING_NAMES, steps) | dict.fromkeys(WARMUP_NAMES, warmup)
        wanted = found.signature().parameters
        if _needs(wanted.get("steps")):
            known["steps"] = steps
        if _needs(wanted.get("max_lr")) and "lr" in options:
            known["max_lr"] = options["lr"]
        if "mode" in wanted and wanted["mode"].default == "min" and recipe.better is max:
            known["mode"] = "max"  # where a schedule follows the evaluation
        schedule = {**{key: value for key, value in known.items() if key in wanted}, **schedule}
    return Config(
        recipe=name,
        device=str(device),
        threads=threads,
        optimizer=str(optimizer),
        optimizer_options=options,
        scheduler=scheduler,
        scheduler_options=schedule,
        epochs=epochs,
        batch_size=batch_size,
        seed=request.seed or 0,
        supplied_by=supplied_by,
        genesis=genesis.__version__,
    )


def _needs(parameter: Parameter | None) -> bool:
    return parameter is not None and parameter.default is Parameter.empty


def _refuse_contradictions(request: Request, config: Config, folder: RunFolder) -> None:
    """Raise if an option given with --resume differs from the one that the run began with."""
    given: dict[str, tuple[Any, Any]] = {}
    if request.recipe is not None:
        given["the recipe"] = recipes.find(request.recipe), config.recipe
    if request.optimizer is not None:
        given["--optimizer"] = str(registry("optimizers").find(request.optimizer)), config.optimizer
    if request.scheduler is not None:
        name = request.scheduler
        found = name if name == NO_SCHEDULER else str(registry("schedulers").find(name))
        given["--scheduler"] = found, config.scheduler
    if request.device is not None:
        given["--device"] = str(genesis.device(request.device)), config.device
    if request.lr is not None:
        given["--lr"] = request.lr, config.optimizer_options.get("lr")
    for flag, attribute in (
        ("--epochs", "epochs"), ("--batch-size", "batch_size"), ("--seed", "seed"), ("--threads", "threads")
    ):  # fmt: skip
        value = getattr(request, attribute)
        if value is not None:
            given[flag] = value, getattr(config, attribute)
    for flag, words, began in (
        ("--optimizer-option", request.optimizer_options, config.optimizer_options),
        ("--scheduler-option", request.scheduler_options, config.scheduler_options),
    ):
        for key, value in parse_options(words, flag).items():
            given[f"{flag} {key}"] = value, began.get(key)
    for flag, (value, began_with) in given.items():
        if value != began_with:
            raise Misuse(
                f"{flag} is {value}, but the run in {folder} began with {began_with}; "
                "a resumed run keeps its settings, so leave it out or begin a new run"
            )


def _kernels(device: genesis.device) -> dict[str, str]:
    """The kernels of plugins that are used on a device, and who supplies them."""
    offers = [offered_kernel(device.type, op) for op in sorted({c.op for c in list_kernels()})]
    return {f"kernel {offer.name}": offer.origin for offer in offers if offer is not None}


def _check_suppliers(config: Config, folder: RunFolder | None) -> None:
    """Raise if a part of the run is not installed; warn if it is another version."""
    kinds = {"device": "backends", "optimizer": "optimizers", "scheduler": "schedulers"}
    for what, origin in config.supplied_by.items():
        if what not in kinds:
            continue
        name = config.device if what == "device" else getattr(config, what)
        if what == "device" and name.rpartition(":")[2].isdigit():
            name = name.rpartition(":")[0]
        try:
            now = registry(kinds[what]).find(name).origin
        except UnknownNameError as error:
            distribution, _, version = origin.partition(" ")
            pinned = f"{distribution}=={version}" if version else distribution
            raise Stopped(
                f"the run in {folder} needs the {what} {name!r} of {origin}, which is not available here; "
                f"run `pip install {pinned}`. ({error})"
            ) from None
        if now != origin:
            warn(
                f"the run began with the {what} of {origin} and goes on with that of {now}: "
                "results may differ"
            )


def _warn_of_other_kernels(config: Config, device: genesis.device) -> None:
    began = {what: origin for what, origin in config.supplied_by.items() if what.startswith("kernel ")}
    now = _kernels(device)
    for what in sorted(set(began) | set(now)):
        if began.get(what) != now.get(what):
            warn(
                f"the run began with the {what} of {began.get(what, 'the device itself')} and goes on with "
                f"that of {now.get(what, 'the device itself')}: results may differ"
            )
