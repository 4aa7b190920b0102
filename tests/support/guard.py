"""No test talks to the world: connects from the test process may go to loopback and Unix sockets only."""

from __future__ import annotations

import ipaddress

import pytest

WATCHED = {"socket.connect", "socket.sendto"}


def refuse_remote_addresses(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: fails the running test at a connect beyond loopback."""
    if event in WATCHED and isinstance(args[-1], tuple) and not is_loopback(str(args[-1][0])):
        pytest.fail(f"a test must not reach {args[-1]!r}: loopback only", pytrace=True)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine; an unresolved name other than localhost is not."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in ("localhost", "")
    return address.is_loopback or address.is_unspecified
