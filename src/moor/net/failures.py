"""urllib3's errors, translated once, by a table."""

from __future__ import annotations

import re
import ssl
from typing import Final

import urllib3.exceptions as theirs

from moor.errors.base import MoorError
from moor.errors.net import TlsFailed, Unreachable
from moor.net.url import Base, is_loopback

_TABLE: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    # class, sentence, whether the request may have been carried out; the first that fits wins
    (theirs.ProxyError, "the proxy {proxy} does not let the call through", False),
    (theirs.NameResolutionError, "its name is not known here", False),
    (theirs.NewConnectionError, "{errno}", False),
    (theirs.ConnectTimeoutError, "no connection within {connect_s:.0f} s", False),
    (theirs.ReadTimeoutError, "no answer within {total_s:.0f} s", True),
    (theirs.TimeoutError, "no answer within {total_s:.0f} s", True),
    (theirs.DecodeError, "its answer is damaged", True),
    (theirs.ProtocolError, "it closed the connection before its answer ended", True),
    (theirs.HTTPError, "its answer cannot be understood", True),
)
_ERRNO: Final = re.compile(r"\[Errno -?\d+\] ([^')]+)")
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")


def translate(error: Exception, base: Base, *, proxy: str | None, connect_s: float, total_s: float) -> MoorError:
    """Our error for one of urllib3's, or of the sockets below it."""
    cause = _tls_cause(error)
    if cause is not None:
        return _tls_failed(cause, base)
    for kind, sentence, arrived in _TABLE:
        if isinstance(error, kind):
            reason = sentence.format(
                proxy=_proxy_name(proxy), connect_s=connect_s, total_s=total_s, errno=_errno_words(error)
            )
            return Unreachable(base.authority, reason, arrived=arrived, hint=_hint(base))
    return Unreachable(base.authority, getattr(error, "strerror", None) or type(error).__name__, arrived=True)


def _tls_cause(error: BaseException) -> BaseException | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (ssl.SSLError, theirs.SSLError)):
            return seen
        inner = getattr(seen, "original_error", None) or next(
            (arg for arg in seen.args if isinstance(arg, BaseException)), None
        )
        seen = inner
    return None


def _tls_failed(cause: BaseException, base: Base) -> MoorError:
    text = str(cause)
    if any(mark in text for mark in _NOT_TLS):
        return TlsFailed(base.authority, "what answers there does not speak TLS (http:// instead of https://?)")
    while not isinstance(cause, ssl.SSLError) and cause.args and isinstance(cause.args[0], BaseException):
        cause = cause.args[0]
    reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or text
    if "not yet valid" in reason or "has expired" in reason:
        reason += "; is this machine's clock right?"
    return TlsFailed(base.authority, reason)


def _errno_words(error: Exception) -> str:
    """`connection refused`, `no route to host`: as the system says it."""
    found = _ERRNO.search(str(error))
    return found.group(1).strip().lower() if found else "no connection can be made"


def _hint(base: Base) -> str:
    """For this machine the network is not to blame; empty: the error's own hint."""
    return "start what should listen there, then: moor models --refresh" if is_loopback(base.host) else ""


def _proxy_name(proxy: str | None) -> str:
    """Host and port only: the address may hold a password."""
    return (proxy or "").rpartition("@")[2].rpartition("//")[2]
