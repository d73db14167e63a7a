"""Damaged and hostile versions of a file: reproducible from its contents, a name and a number."""

import random
import zlib
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

GIANTS = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFF, 0x10000000, 0)
SPECIAL_BYTES = (0x00, 0xFF, 0x7F, 0x80, 0x01)
HEADER = 512
"""Where most formats keep what they claim about themselves."""

TEXTS = (
    *("9" * 5000, "-1", "0", "1e999", "-1e999", "NaN", ".nan", "1" + "0" * 400, "1e-320", "18446744073709551616"),
    *("null", "true", '""', "[]", "{}", '"../../../../etc/passwd"', '"\\u0000"', '"\\ud800"', "[[[[1]]]]", "0x_", "1_"),
    *("2020-99-99", "!!int ''", "!!bool x", "!!timestamp x", "!!float ''", "!!python/object/apply:os.system [true]"),
    *(
        "&a [*a, *a]",
        "*a",
        "<<",
        "=",
        "? [a]\n: b",
        "'",
        "%",
        "@",
        "\t",
        "\x00",
        "\u2028",
        "\ufeff",
        "- - - -",
        "|",
        ">",
    ),
)
"""What is put in the place of a value of a text file."""


def mutant(content: bytes, is_text: bool, name: str, number: int) -> tuple[str, bytes]:
    """What was done, and the damaged content; the first numbers go through the systematic damages."""
    rng = random.Random(zlib.crc32(f"{name}/{number}".encode()))
    known = [*WHOLE_FILE, *(TEXT_FILE if is_text else {})]
    if number < len(known):
        return known[number], (WHOLE_FILE | TEXT_FILE)[known[number]](content, rng)
    drawn = rng.choice([*(TEXT_PARTS if is_text else BINARY_PARTS)])
    return drawn, (TEXT_PARTS | BINARY_PARTS)[drawn](content, rng)


def _flipped(content: bytes, rng: random.Random, most: int = 8, within: int | None = None) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.randint(1, most)):
        place = rng.randrange(min(within or len(damaged), len(damaged)))
        damaged[place] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _giant(content: bytes, rng: random.Random) -> bytes:
    """An integer of the header claims too much."""
    width, order = rng.choice((2, 4, 8)), rng.choice(("little", "big"))
    value = rng.choice(GIANTS) % (1 << 8 * width)
    place = rng.randrange(max(min(HEADER, len(content)) - width, 1))
    return content[:place] + value.to_bytes(width, order) + content[place + width :]


def _special(content: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.randint(1, 16)):
        damaged[rng.randrange(len(damaged))] = rng.choice(SPECIAL_BYTES)
    return bytes(damaged)


def _without(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 64) :]


def _doubled(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start : start + rng.randint(1, 4096)] + content[start:]


def _ends_early(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _value_replaced(content: bytes, rng: random.Random) -> bytes:
    """The rest of a line behind a colon, or an element between commas, becomes something else."""
    text = content.decode()
    places = [index for index, letter in enumerate(text) if letter in ":,["]
    start = rng.choice(places) + 1 if places else 0
    ends = [found for found in (text.find(mark, start) for mark in ",\n]}") if found >= 0]
    return (text[:start] + " " + rng.choice(TEXTS) + text[min(ends, default=len(text)) :]).encode("utf-8", "replace")


def _words_swapped(content: bytes, rng: random.Random) -> bytes:
    """Two words of a text change places: fields come twice, values have other types."""
    words = content.split(b" ")
    first, second = rng.randrange(len(words)), rng.randrange(len(words))
    words[first], words[second] = words[second], words[first]
    return b" ".join(words)


def _line_lost(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


WHOLE_FILE: dict[str, Mutation] = {
    "empty": lambda content, rng: b"",
    "one byte": lambda content, rng: content[:1],
    "first half": lambda content, rng: content[: len(content) // 2],
    "last byte missing": lambda content, rng: content[:-1],
    "only the header": lambda content, rng: content[:16],
    "zeros": lambda content, rng: bytes(len(content)),
    "ones": lambda content, rng: b"\xff" * len(content),
    "noise": lambda content, rng: rng.randbytes(len(content)),
    "twice": lambda content, rng: content * 2,
    "noise at the end": lambda content, rng: content + rng.randbytes(1000),
    "a text": lambda content, rng: b"Not Found\n",
    "a page": lambda content, rng: b"<!DOCTYPE html><html><body>404</body></html>",
    "a pointer": lambda content, rng: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
}
TEXT_FILE: dict[str, Mutation] = {
    "UTF-16": lambda content, rng: content.decode().encode("utf-16"),
    "Latin-1": lambda content, rng: content + b"\xe9\xff",
    "byte order mark": lambda content, rng: b"\xef\xbb\xbf" + content,
    "NUL": lambda content, rng: content + b"\0",
    "deep lists": lambda content, rng: b"[" * 20_000,
    "deep and closed": lambda content, rng: b"[" * 3000 + b"]" * 3000,
    "deep objects": lambda content, rng: b'{"a":' * 5_000,
    "deep flow": lambda content, rng: b"a: " + b"{a: " * 500 + b"}" * 500,
    "deep blocks": lambda content, rng: b"\n".join(b" " * depth + b"a:" for depth in range(400)),
    "a number": lambda content, rng: b"7",
    "a huge number": lambda content, rng: b"9" * 5000,
    "a list of huge numbers": lambda content, rng: b"[" + b"9" * 5000 + b"]",
    "nothing": lambda content, rng: b"null",
    "a string": lambda content, rng: b'"text"',
    "a list": lambda content, rng: b"[1, 2, 3]",
    "an object": lambda content, rng: b"{}",
    "a list as a key": lambda content, rng: b"? [a, b]\n: c\n",
    "aliases": lambda content, rng: b"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
    "a tag": lambda content, rng: b"!!python/object/apply:os.system ['touch executed']\n",
    "an object's tag": lambda content, rng: b"a: !!python/object/new:os.system ['touch executed']\n",
    "a merge": lambda content, rng: b"<<: {a: 1}\n" + content,
    "many documents": lambda content, rng: b"---\n" + content + b"\n---\n" + content,
    "many fields": lambda content, rng: b"\n".join(b"field%d: 1" % number for number in range(1000)),
    "a long line": lambda content, rng: b"a: " + b"x" * 300_000,
    "many brackets": lambda content, rng: b"a: [" + b"[]," * 2_000 + b"]",
}
BINARY_PARTS: dict[str, Mutation] = {
    "bits flipped": _flipped,
    "bits flipped in the header": lambda content, rng: _flipped(content, rng, within=HEADER),
    "giant number": _giant,
    "another giant number": _giant,
    "special bytes": _special,
    "bytes lost": _without,
    "bytes doubled": _doubled,
    "ends early": _ends_early,
}
TEXT_PARTS: dict[str, Mutation] = {
    "value replaced": _value_replaced,
    "another value replaced": _value_replaced,
    "a further value replaced": _value_replaced,
    "words swapped": _words_swapped,
    "line lost": _line_lost,
    "bits flipped": _flipped,
    "ends early": _ends_early,
    "bytes doubled": _doubled,
}
