"""Addresses: scheme, host, port and prefix are kept as given; plain HTTP is for this machine only."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from moor.errors.net import BadUrl, PlaintextRefused

_PORTS = {"http": 80, "https": 443}
_LABEL_MAX = 63
"""of a part of a host's name (RFC 1035); a longer one no resolver takes"""


class Base(NamedTuple):
    """The part of an address that all calls to one place share."""

    scheme: str
    host: str
    """without brackets"""
    port: int
    prefix: str
    """path before the API's own, without a trailing slash; usually empty"""

    @property
    def authority(self) -> str:
        """`host` or `host:port`, as it stands in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without a trailing slash."""
        return f"{self.scheme}://{self.authority}{self.prefix}"


def parse_base(url: str, *, allow_plaintext: bool = False) -> Base:
    """The base of calls to `url`; https where no scheme is given. Raises BadUrl, PlaintextRefused."""
    text = url.strip()
    parts, host, port = _split(text if "://" in text else f"https://{text}", url)
    if parts.query or parts.fragment:
        raise BadUrl(url, "it has a query or a fragment")
    base = Base(parts.scheme, host, port, parts.path.rstrip("/"))
    if base.scheme == "http" and not allow_plaintext and not is_loopback(base.host):
        raise PlaintextRefused(base.url)
    return base


def _split(text: str, given: str) -> tuple[SplitResult, str, int]:
    if any(ord(character) <= 32 or ord(character) == 127 for character in text):
        raise BadUrl(given, "it holds a space or a control character")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadUrl(given, str(error)) from error
    if parts.scheme not in _PORTS:
        raise BadUrl(given, "it must start with https://")
    if not host:
        raise BadUrl(given, "there is no host in it")
    if parts.username is not None or parts.password is not None:
        raise BadUrl(_without_user(text), "it holds a user or password")
    return parts, _ascii(host, given), port or _PORTS[parts.scheme]


def _without_user(text: str) -> str:
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _ascii(host: str, given: str) -> str:
    """The host as it is asked of DNS. A name with a character that no name has is refused."""
    if ":" in host:
        return host
    try:
        # the codec costs a launch 4 ms, and is the identity for what is ASCII already
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadUrl(given, "its host is not a name") from error
    if not all(character.isalnum() or character in "-._" for character in name):
        raise BadUrl(given, "its host is not a name")
    if not all(0 < len(label) <= _LABEL_MAX for label in name.removesuffix(".").split(".")):
        raise BadUrl(given, f"a part of its host is empty or longer than {_LABEL_MAX} characters")
    return name


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost`, a name below it, 127.0.0.0/8 or ::1."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
