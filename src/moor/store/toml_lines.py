"""The line on which a key of a TOML file stands, for messages; tomllib keeps no positions.

A reader of headers and keys only, used after something was found wrong: it never decides, it only points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_PART: Final = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")
_OPENING: Final = re.compile(
    r"""(?P<triple>\"{3}|'{3})|"(?:[^"\\]|\\.)*"|'[^']*'|\#.*""",
)
"""what may begin outside of a long string: one of those, a short string, a comment"""
_CLOSING: Final = {'"""': re.compile(r'''(?:[^"\\]|\\.|"(?!""))*"""'''), "'''": re.compile(r".*?'''")}


def line_of(text: str, path: Sequence[str]) -> int | None:
    """1-based line of the key `path`, else of its nearest parent that has one; None when none is seen."""
    best: tuple[int, int] | None = None
    for number, key in _keys(text):
        depth = _common(key, path)
        if depth and (best is None or depth > best[0]) and (depth == len(key) or depth == len(path)):
            best = (depth, number)
    return best[1] if best else None


def _common(key: Sequence[str], path: Sequence[str]) -> int:
    depth = 0
    for one, other in zip(key, path, strict=False):
        if one != other:
            break
        depth += 1
    return depth


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(line number, full key) of each table header and each key."""
    table: tuple[str, ...] = ()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        was_inside, inside = inside, _string_state(line, inside)
        if was_inside:
            continue
        stripped = line.strip()
        if stripped.startswith("["):
            table, _ = _dotted(stripped.lstrip("["))
            yield number, table
            continue
        key, end = _dotted(line)
        if key and line[end : end + 1] == "=":
            yield number, (*table, *key)


def _string_state(line: str, inside: str) -> str:
    """The triple quote that is open at the end of the line; empty when none is."""
    position = 0
    while True:
        found = _CLOSING[inside].match(line, position) if inside else _OPENING.search(line, position)
        if not found:
            return inside
        position = found.end()
        inside = "" if inside else (found.group("triple") or "")


def _dotted(text: str) -> tuple[tuple[str, ...], int]:
    """A dotted key at the start of the text, and where it ends."""
    parts: list[str] = []
    position = 0
    while found := _PART.match(text, position):
        parts.append(next(group for group in found.groups() if group is not None))
        position = found.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    return tuple(parts), position
