"""Files as disks, editors and mail leave them: bytes, line ends, numbers beyond all bounds."""

from __future__ import annotations

import random
import re

NUMBERS = (b"1e400", b"-1e308", b"99999999999999999999999", b"nan", b"-inf", b"1e-320", b"0x10", b"1_000", b"\xd9\xa3")
LINES = (b"", b"\x00", b"\xff\xfe", b"RANGES", b"ROWS", b"@VARSBEGIN", b"@NUMVARS", b"-5", b"LC", b"LC 999", b"OS 7", b"N -1")
LINES += (b"\tROWS", b"OBJSENSE", b"ENDATA", b" " * 5000, b"x" * 100_000)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """``content`` with one to five accidents."""
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        content = chance.choice([_in_a_line, _of_lines, _of_all])(content.split(b"\n"), chance)
    return content


def _in_a_line(lines: list[bytes], chance: random.Random) -> bytes:
    k = chance.randrange(len(lines))
    words = lines[k].split(b" ")
    j = chance.randrange(len(words))
    noise = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 6)))
    lines[k] = chance.choice(
        [
            b" ".join(words[:j] + words[j + 1 :]),
            b" ".join([*words[: j + 1], *words[j:]]),
            re.sub(rb"-?\d+(\.\d+)?", lambda _: chance.choice(NUMBERS), lines[k], count=1),
            lines[k][: chance.randrange(len(lines[k]) + 1)] + noise + lines[k],
            lines[k].swapcase(),
            lines[k] + b"\r",
        ]
    )
    return b"\n".join(lines)


def _of_lines(lines: list[bytes], chance: random.Random) -> bytes:
    k, j = chance.randrange(len(lines)), chance.randrange(len(lines))
    swapped = list(lines)
    swapped[k], swapped[j] = lines[j], lines[k]
    found = [
        lines[:k] + lines[k + 1 :],
        [*lines[: k + 1], *lines[k:]],
        swapped,
        [*lines[:k], chance.choice(LINES), *lines[k + 1 :]],
    ]
    return b"\n".join(chance.choice(found))


def _of_all(lines: list[bytes], chance: random.Random) -> bytes:
    content = b"\n".join(lines)
    cut = content[: chance.randrange(len(content) + 1)]
    return chance.choice([b"\xef\xbb\xbf" + content, content.replace(b"\n", b"\r\n"), content.replace(b"\n", b"\r"), cut])
