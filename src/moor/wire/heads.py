"""Heads and chunks of HTTP/1.1 as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

_lines: Final = {200: b"HTTP/1.1 200 OK\r\n"}
"""the others come with the first that is asked for"""


def status_line(status: int) -> bytes:
    """The status line with its line end; a status without a known phrase has none."""
    line = _lines.get(status)
    if line is None:
        from http import HTTPStatus

        _lines.update({known.value: b"HTTP/1.1 %d %b\r\n" % (known, known.phrase.encode()) for known in HTTPStatus})
        line = _lines.setdefault(status, b"HTTP/1.1 %d \r\n" % status)
    return line


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Header lines with their line ends."""
    return b"".join([b"%s: %s\r\n" % pair for pair in headers])


def safe_pairs(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers of ours as bytes; CR, LF and other controls in a value become spaces, so none can end its line."""
    return [(name.encode("ascii"), _clean(value)) for name, value in headers]


def _clean(value: str) -> bytes:
    raw = value.encode("latin-1", "replace")
    return bytes(32 if byte < 32 or byte == 127 else byte for byte in raw).strip()


def chunk(pieces: list[bytes]) -> list[bytes]:
    """The pieces as one chunk of the chunked coding, still in pieces; nothing for no bytes."""
    size = sum(map(len, pieces))
    return [b"%x\r\n" % size, *pieces, b"\r\n"] if size else []


def one_chunk(piece: bytes) -> bytes:
    """The same for one piece that is not empty, ready to be written: each event of a stream takes this way."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)
