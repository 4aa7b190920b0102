"""Content codings, bounded: gzip and deflate, whole for requests and piece by piece for the meter."""

from __future__ import annotations

import zlib
from typing import Final

from moor.errors.wire import ContentCodingError

_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
IDENTITY: Final = ("", "identity")


def decode_body(coding: str, body: bytes, max_bytes: int) -> bytes:
    """The decoded body. Raises ContentCodingError: 415 for another coding, 400 for garbage, 413 above the limit."""
    name = coding.strip().lower()
    if name in IDENTITY:
        return body
    if name not in _WINDOW:
        raise ContentCodingError(status=415, reason=f"content coding {name[:40]!r} is not taken; use gzip or none")
    decoder = PieceDecoder(name, max_bytes)
    plain = decoder.feed(body)
    if decoder.too_long:
        raise ContentCodingError(status=413, reason="the decoded body is above the limit")
    if not decoder.ended:
        raise ContentCodingError(status=400, reason=f"the body is not {name}")
    return plain


class PieceDecoder:
    """Decodes a gzip or deflate stream as it comes. Never raises: `broken`, `too_long` and `ended` tell."""

    def __init__(self, coding: str, max_bytes: int) -> None:
        self._raw_deflate = coding == "deflate"
        self._decoder = zlib.decompressobj(_WINDOW[coding])
        self._left = max_bytes
        self._started = False
        self.broken = False
        self.too_long = False

    @property
    def ended(self) -> bool:
        """The stream came to its end, whole."""
        return self._decoder.eof and not self.broken

    def feed(self, data: bytes) -> bytes:
        """Decoded bytes, at most as many as the limit leaves."""
        if self.broken or self.too_long or not data:
            return b""
        try:
            plain = self._decompress(data)
        except zlib.error:
            self.broken = True
            return b""
        self._left -= len(plain)
        if self._left < 0 or self._decoder.unconsumed_tail:
            self.too_long = True
        if self._decoder.unused_data:
            self.broken = True
        return plain

    def _decompress(self, data: bytes) -> bytes:
        try:
            plain = self._decoder.decompress(data, self._left + 1)
        except zlib.error:
            # "deflate" means zlib, but some senders leave its two header bytes out
            if self._started or not self._raw_deflate:
                raise
            self._decoder = zlib.decompressobj(-15)
            plain = self._decoder.decompress(data, self._left + 1)
        self._started = True
        return plain


def can_decode(coding: str) -> bool:
    """Whether a coding is one of ours."""
    return coding.strip().lower() in _WINDOW
