"""Files that are not any more what was written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from report import Row
from subject import Child, folder, train

from genesis.checkpoint import load_checkpoint, verify

WAYS = {"one file": {}, "in parts": {"max_shard_size": 100_000}}


def truncations(step: int = 4096) -> Iterator[Row]:
    """A file that ends early, at every 4 KiB."""
    row = Row(
        "A file cut short",
        f"at every {step // 1024} KiB, and at 0 to 16 bytes from both ends; one file and parts",
    )
    for options in WAYS.values():
        with folder() as where:
            for path in _made(where, options):
                content = path.read_bytes()
                lengths = {
                    *range(0, len(content), step),
                    *range(17),
                    *(len(content) - n for n in range(1, 17)),
                }
                for length in sorted(n for n in lengths if 0 <= n < len(content)):
                    path.write_bytes(content[:length])
                    row.count(_loaded(where), f"{path.name} at {length}")
                path.write_bytes(content)
            assert not _detected(where)
    yield row


def flips(count: int, seed: int) -> Iterator[Row]:
    """A single bit that changed: anywhere, and in the headers, which are small."""
    chance = random.Random(seed)
    row = Row("A flipped bit", "half of them anywhere, half in headers; one file and parts")
    for options in WAYS.values():
        with folder() as where:
            files = _made(where, options)
            sizes = [path.stat().st_size for path in files]
            for number in range(count // 2):
                path = chance.choices(files, sizes)[0]
                content = bytearray(path.read_bytes())
                end = len(content)
                if number % 2:
                    path = chance.choice(files)
                    content = bytearray(path.read_bytes())
                    end = 8 + int.from_bytes(content[:8], "little")
                place, bit = chance.randrange(end), 1 << chance.randrange(8)
                content[place] ^= bit
                _write(path, content)
                row.count(_loaded(where), f"{path.name}, byte {place}, bit {bit}")
                content[place] ^= bit
                _write(path, content)
            assert not _detected(where)
    yield row


def blocks(count: int, seed: int) -> Iterator[Row]:
    """Blocks of zeros or of other data, and files that are missing or exchanged."""
    chance = random.Random(seed)
    row = Row(
        "A block of 4 KiB lost",
        "zeros or noise in its place, at random; and each file missing, empty, or another",
    )
    for options in WAYS.values():
        with folder() as where:
            files = _made(where, options)
            for path in files:
                content = path.read_bytes()
                for _ in range(count // 2 // len(files)):
                    start = chance.randrange(0, len(content), 4096)
                    size = min(4096, len(content) - start)
                    block = bytes(size) if chance.random() < 0.5 else chance.randbytes(size)
                    if content[start : start + size] == block:
                        continue
                    path.write_bytes(content[:start] + block + content[start + size :])
                    row.count(_loaded(where), f"{path.name}, from {start}")
                for other in (None, b"", *(file.read_bytes() for file in files if file != path)):
                    path.unlink() if other is None else path.write_bytes(other)
                    row.count("" if other is None and path.suffix == ".ckpt" else _loaded(where), path.name)
                    path.write_bytes(content)
            assert not _detected(where)
    yield row


def fallbacks(count: int, seed: int) -> Iterator[Row]:
    """The newest good one is found when newer ones are damaged."""
    chance = random.Random(seed)
    row = Row(
        "Damaged checkpoints in a folder", "the newest one to three of four; resume takes the newest good one"
    )
    for number in range(count):
        options = list(WAYS.values())[number % 2]
        with folder() as where:
            code, _, errors = Child(
                lambda say, w=where, o=options: train(w, say, stop_at=12, keep=None, **o)
            ).wait()
            assert code == 0, errors
            damaged = chance.randrange(1, 4)
            for path in sorted(where.glob("step-*.ckpt"))[-damaged:]:
                victim = chance.choice([path, *where.glob(f"{path.name}.*")])
                content = bytearray(victim.read_bytes())
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
                victim.write_bytes(content)
            code, said, errors = Child(lambda say, w=where: train(w, say, stop_at=13)).wait()
            expected = 12 - 3 * damaged
            problem = (
                ""
                if said[:1] == [["resumed", str(expected)]]
                else f"expected {expected}: {said[:1]} {errors}"
            )
            if errors.count("the checkpoint before it is used") != damaged:
                problem = problem or f"it said {errors}"
            row.count(problem, f"{damaged} damaged")
    yield row


def _made(where: Path, options: dict[str, int]) -> list[Path]:
    code, _, errors = Child(lambda say: train(where, say, stop_at=3, keep=1, **options)).wait()
    assert code == 0, errors
    return sorted(where.glob("step-*"))


def _write(path: Path, content: bytearray) -> None:
    with open(path, "r+b") as file:
        file.write(content)


def _detected(where: Path) -> bool:
    (path,) = where.glob("step-*.ckpt")
    try:
        verify(path)
    except RuntimeError:
        return True
    return False


def _loaded(where: Path) -> str:
    """What is wrong: a damaged checkpoint was taken for a good one."""
    (path,) = where.glob("step-*.ckpt")
    for read in (load_checkpoint, verify):
        try:
            read(path)
        except RuntimeError:  # CheckpointError
            continue
        return f"{read.__name__} took it for good"
    return ""
