"""Content codings, bounded: gzip, deflate and zstd, whole for requests and piece by piece for answers."""

from __future__ import annotations

import zlib
from typing import Any, Final

from moor.errors.wire import ContentCodingError

_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_ZSTD: Final = "zstd"
_ZSTD_WINDOW: Final = 23
"""8 MB, the most that a sender over HTTP may ask for (RFC 9659)"""
IDENTITY: Final = ("", "identity")


def decode_body(coding: str, body: bytes, max_bytes: int) -> bytes:
    """The decoded body. Raises ContentCodingError: 415 for another coding, 400 for garbage, 413 above the limit."""
    name = coding.strip().lower()
    if name in IDENTITY:
        return body
    if not can_decode(name):
        raise ContentCodingError(status=415, reason=f"content coding {name[:40]!r} is not taken; use gzip or none")
    decoder = PieceDecoder(name, max_bytes)
    plain = decoder.feed(body)
    if decoder.too_long:
        raise ContentCodingError(status=413, reason="the decoded body is above the limit")
    if not decoder.ended:
        raise ContentCodingError(status=400, reason=f"the body is not {name}")
    return plain


class PieceDecoder:
    """Decodes as it comes. Never raises: `broken`, `too_long` and `ended` tell.

    `max_bytes` bounds what one `feed` may give, and with `in_all` what all of them together may.
    """

    def __init__(self, coding: str, max_bytes: int, *, in_all: bool = True) -> None:
        self._inflate = _Zstd() if coding == _ZSTD else _Zlib(coding)
        self._max = self._left = max_bytes
        self._in_all = in_all
        self.broken = False
        self.too_long = False
        self.empty = True
        """nothing came yet"""

    @property
    def ended(self) -> bool:
        """The content came to its end, whole."""
        return self._inflate.ended and not self.broken

    def feed(self, data: bytes) -> bytes:
        """Decoded bytes, at most as many as the limit leaves."""
        if self.broken or self.too_long or not data:
            return b""
        self.empty = False
        try:
            plain = self._inflate.feed(data, self._left + 1)
        except self._inflate.error:
            self.broken = True
            return b""
        self._left -= len(plain)
        if self._left < 0 or self._inflate.holds_back:
            self.too_long = True
        if self._inflate.has_more:
            self.broken = True
        if not self._in_all:
            self._left = self._max
        return plain


class _Zlib:
    error: type[Exception] = zlib.error

    def __init__(self, coding: str) -> None:
        self._raw_deflate = coding == "deflate"
        self._decoder = zlib.decompressobj(_WINDOW[coding])
        self._started = False

    @property
    def ended(self) -> bool:
        return self._decoder.eof

    @property
    def holds_back(self) -> bool:
        """There is more in what came than was asked for."""
        return bool(self._decoder.unconsumed_tail)

    @property
    def has_more(self) -> bool:
        """Something came behind the end."""
        return bool(self._decoder.unused_data)

    def feed(self, data: bytes, limit: int) -> bytes:
        try:
            plain = self._decoder.decompress(data, limit)
        except zlib.error:
            # "deflate" means zlib, but some senders leave its two header bytes out
            if self._started or not self._raw_deflate:
                raise
            self._decoder = zlib.decompressobj(-15)
            plain = self._decoder.decompress(data, limit)
        self._started = True
        return plain


class _Zstd:
    """The same for zstd. A frame that wants a larger window than HTTP allows is garbage."""

    def __init__(self) -> None:
        zstd = zstd_module()
        self.error: type[Exception] = zstd.ZstdError
        self._decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW})

    @property
    def ended(self) -> bool:
        return bool(self._decoder.eof)

    @property
    def holds_back(self) -> bool:
        return not self._decoder.eof and not self._decoder.needs_input

    @property
    def has_more(self) -> bool:
        return bool(self._decoder.unused_data)

    def feed(self, data: bytes, limit: int) -> bytes:
        if self._decoder.eof:
            raise self.error("content behind the end of the frame")
        plain: bytes = self._decoder.decompress(data, limit)
        return plain


def zstd_module() -> Any:
    """The module: part of Python from 3.14 on."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
    return zstd


def can_decode(coding: str) -> bool:
    """Whether a coding is one of ours."""
    name = coding.strip().lower()
    return name in _WINDOW or name == _ZSTD
