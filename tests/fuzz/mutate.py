"""Changes of a file that keep enough of its structure to get past the first check."""

from __future__ import annotations

import io
import json
import pickletools
import struct
import zipfile
import zlib
from contextlib import suppress
from functools import lru_cache
from random import Random
from typing import Any

NUMBERS = (0, 1, 2, 3, 127, 128, 255, 256, 65535, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40,
           (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip


def noise(random: Random, data: bytes) -> bytes:
    """Flip bits, cut, repeat, and put interesting numbers where lengths may be."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        at = random.randrange(len(out)) if out else 0
        match random.randrange(8):
            case 0 if out:
                out[at] ^= 1 << random.randrange(8)
            case 1 if out:
                out[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, 0x28, 0x2E))
            case 2:
                del out[at:]
            case 3:
                del out[at : at + random.randrange(1, 9)]
            case 4:
                out[at:at] = out[at : at + random.randrange(1, 64)]
            case 5:
                size = random.choice((1, 2, 4, 8))
                number = random.choice(NUMBERS) & ((1 << 8 * size) - 1)
                out[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))
            case 6:
                out[at:at] = random.randbytes(random.randrange(1, 9))
            case _:
                out += random.randbytes(random.randrange(1, 9))
    return bytes(out)


# -- JSON and other nested values --------------------------------------------------------------------------
def strange(random: Random) -> Any:
    """A value that is seldom where a program expects another."""
    match random.randrange(16):
        case 0:
            return None
        case 1:
            return random.choice((True, False))
        case 2:
            return random.choice(NUMBERS) * random.choice((1, -1))
        case 3:
            return 10 ** random.choice((20, 400))
        case 4:
            return random.choice((float("nan"), float("inf"), -float("inf"), 1e308, -0.0, 5e-324, 0.5))
        case 5:
            return random.choice(
                ("", "a" * 1000, "../../etc/passwd", "os:system", "__class__", "\x00", "\udc80", "é")
            )
        case 6:
            return random.choice(
                ("__metadata__", "cpu", "cuda:99", "ref", "F32", "V1000000000", "O", "0x", "nan")
            )
        case 7:
            return []
        case 8:
            return {}
        case 9:
            return [[[[]]]] * 3
        case 10:
            value: Any = []
            for _ in range(random.choice((5, 200, 2000))):
                value = [value]
            return value
        case 11:
            return {
                random.choice(
                    ("tensor", "dict", "tuple", "array", "int", "scalar", "float", "type")
                ): strange(random)
            }
        case 12:
            return {"a": 1, "b": [strange(random)]}
        case 13:
            return [strange(random) for _ in range(3)]
        case 14:
            return [1 << 40] * 40
        case _:
            return -1


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every part of a nested value."""
    found = [here]
    if len(here) > 60:
        return found
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths(item, (*here, key))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            found += paths(item, (*here, i))
    return found


_KEYS = ("", "type", "__class__", "step", "os:system", "a" * 1000, "../x", "__metadata__", 0, 99, -1, None)


def changed(random: Random, value: Any, times: int | None = None) -> Any:
    """Parts replaced, left out, added, renamed or exchanged; ``value`` itself stays as it is."""
    for _ in range(times or random.choice((1, 1, 2, 3))):
        way = random.choice(paths(value))
        value = _put(random, value, way)
    return value


def _put(random: Random, value: Any, way: tuple[Any, ...]) -> Any:
    if way:
        first, *rest = way
        if isinstance(value, dict):
            out = dict(value)
            if not rest and random.random() < 0.4:
                item = out.pop(first)
                if random.random() < 0.5:
                    out[random.choice((*_KEYS, first))] = item
                return out
            out[first] = _put(random, value[first], tuple(rest))
            return out
        if isinstance(value, list | tuple):
            items = list(value)
            if not rest and random.random() < 0.4:
                item = items.pop(first)
                items += [item] * random.choice((0, 2, 3))
            else:
                items[first] = _put(random, items[first], tuple(rest))
            return items if isinstance(value, list) or random.random() < 0.1 else tuple(items)
    if isinstance(value, int | float) and random.random() < 0.5:
        return random.choice((value + 1, -value, value * 1000, str(value), random.choice(NUMBERS)))
    return strange(random)


def text_of(random: Random, value: Any) -> str:
    """JSON, now and then with a name twice or cut off."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError, TypeError):
        return "[" * 100_000
    if random.random() < 0.1:
        text = text.replace(", ", ', "a": 1, "a": 2, ', 1)
    return text


# -- pickles -----------------------------------------------------------------------------------------------
SNIPPETS = (
    b"cos\nsystem\nX\x02\x00\x00\x00:;\x85R",
    b"cbuiltins\neval\nX\x03\x00\x00\x001+1\x85R",
    b"cbuiltins\ngetattr\n", b"ccopyreg\n_reconstructor\n", b"cgenesis\nload\n", b"ctorch\nload\n",
    b"X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93",
    b"(X\x02\x00\x00\x00:;ios\nsystem\n",
    b"]", b"}", b")", b"(", b"t", b"N", b"0", b"2", b"1", b"a", b"e", b"s", b"u", b"b", b"R", b"Q", b"o", b"\x81",
    b"\x85", b"\x86", b"\x87", b"\x8f", b"\x90", b"\x91", b"\x92", b"\x93", b"\x94", b"\x97", b"\x98", b".",
    b"\x8f(K\x01\x90", b"\x96" + struct.pack("<Q", 1 << 33), b"\x95" + struct.pack("<Q", 1 << 40),
    b"\x8e" + struct.pack("<Q", 1 << 62), b"\x8d" + struct.pack("<Q", 5), b"\x8b" + struct.pack("<i", 1 << 30),
    b"\x8a\xff" + bytes(255), b"T" + struct.pack("<i", -1), b"r" + struct.pack("<I", 1 << 31), b"h\x00", b"h\x01", b"h\x02",
    b"q\x00", b"q\x01", b"I" + b"9" * 5000 + b"\n", b"L" + b"1" * 50 + b"L\n", b"\x82\x01", b"\x84\xff\xff\xff\x7f",
    b"J\xff\xff\xff\xff", b"J\xff\xff\xff\x7f", b"\x8a\x08" + b"\xff" * 7 + b"\x7f", b"G\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b")" + b"2\x86" * 40 + b"q\xf0}h\xf0Ns0", b"]" + b"2\x86" * 40 + b"0", b"(" * 300 + b"t" * 300,
    b"ccollections\nOrderedDict\n)R", b"ccollections\nCounter\n", b"ccollections\ndefaultdict\n", b"ccollections\ndeque\n",
    b"cbuiltins\nset\n", b"cbuiltins\nfrozenset\n", b"cbuiltins\nrange\nK\x00J\xff\xff\xff\x7f\x86R", b"cbuiltins\nbytearray\n",
    b"cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R", b"cbuiltins\ncomplex\n", b"cbuiltins\nslice\n",
    b"cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R", b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy.core.numeric\n_frombuffer\n", b"cnumpy\nndarray\n", b"c_codecs\nencode\n", b"ctorch\nSize\n", b"ctorch\ndevice\n",
    b"ctorch\nfloat32\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch._utils\n_rebuild_parameter\n", b"ctorch\nFloatStorage\n",
    b"ctorch.storage\nUntypedStorage\n", b"cgenesis._tensor\n_rebuild\n", b"cgenesis._device\ndevice\n", b"cgenesis._tensor\nSize\n",
    b"cgenesis._random\nGenerator\n", b"}X\x05\x00\x00\x00itemsNsb", b"}X\x09\x00\x00\x00__class__Nsb",
)  # fmt: skip


@lru_cache(maxsize=256)
def opcodes(pickled: bytes) -> tuple[bytes, ...]:
    """A pickle in pieces of one opcode each."""
    places = []
    with suppress(Exception):  # after a change it may not be one to its end
        places = [place for _, _, place in pickletools.genops(pickled) if place is not None]
    return tuple(pickled[a:b] for a, b in zip(places, [*places[1:], len(pickled)], strict=True)) or (pickled,)


def other_pickle(random: Random, pickled: bytes) -> bytes:
    """Opcodes left out, repeated, exchanged or put between the others; arguments changed."""
    parts = list(opcodes(pickled))
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        at = random.randrange(len(parts)) if parts else 0
        match random.randrange(7):
            case 0 if parts:
                del parts[at]
            case 1 if parts:
                parts[at : at + random.randrange(1, 6)] *= 2
            case 2 if parts:
                other = random.randrange(len(parts))
                parts[at], parts[other] = parts[other], parts[at]
            case 3 if parts:
                parts[at] = noise(random, parts[at])
            case 4 if parts:
                parts[at] = random.choice(SNIPPETS)
            case 5 if parts:
                parts.insert(at, parts[random.randrange(len(parts))])
            case _:
                parts.insert(at, random.choice(SNIPPETS))
    return b"".join(parts)


# -- ZIP archives ------------------------------------------------------------------------------------------
@lru_cache(maxsize=64)
def entries(data: bytes) -> tuple[tuple[str, bytes], ...]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return tuple((name, archive.read(name)) for name in archive.namelist())


def other_zip(random: Random, data: bytes) -> bytes:
    """An archive with another pickle, other names, entries twice or decompressed to much more."""
    kept = list(entries(data))
    kind = random.randrange(10)
    at = random.randrange(len(kept))
    name, content = kept[at]
    if kind < 6:
        kept = [(n, other_pickle(random, c) if n.endswith(".pkl") else c) for n, c in kept]
    elif kind == 6:
        kept[at] = name, noise(random, content)
    elif kind == 7:
        kept[at] = (
            random.choice(("../../x", "/etc/passwd", "archive/../data.pkl", name + "x", "", "a" * 300)),
            content,
        )
    elif kind == 8:
        kept.insert(at, (name, noise(random, content)))
    else:
        del kept[at]
    bomb = random.random() < 0.02
    if bomb:
        kept.append((random.choice((name, "archive/data/9")), bytes(1 << 22)))
    return stored(kept, compressed=bomb or random.random() < 0.05)


def stored(parts: list[tuple[str, bytes]], compressed: bool = False) -> bytes:
    """A ZIP archive, by hand: ``zipfile`` writes no wrong ones, and takes its time."""
    out, directory = bytearray(), bytearray()
    for name, content in parts:
        title, crc = name.encode("utf-8", "replace"), zlib.crc32(content)
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(content) + packer.flush() if compressed else content
        fields = struct.pack(
            "<HHHHHIIIHH", 20, 0, 8 if compressed else 0, 0, 0x21, crc, len(body), len(content), len(title), 0
        )
        directory += b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + title
        out += b"PK\x03\x04" + fields + title + body
    end = struct.pack("<HHHHIIH", 0, 0, len(parts), len(parts), len(directory), len(out), 0)
    return bytes(out + directory + b"PK\x05\x06" + end)


# -- safetensors -------------------------------------------------------------------------------------------
@lru_cache(maxsize=64)
def header_of(data: bytes) -> tuple[str, bytes]:
    length = int.from_bytes(data[:8], "little")
    return data[8 : 8 + length].decode(), data[8 + length :]


def with_header(text: str, rest: bytes) -> bytes:
    head = text.encode("utf-8", "surrogatepass")
    return len(head).to_bytes(8, "little") + head + rest


def other_header(random: Random, data: bytes) -> bytes:
    """A safetensors file with a header that says something else."""
    text, rest = header_of(data)
    return with_header(text_of(random, changed(random, json.loads(text))), rest)
