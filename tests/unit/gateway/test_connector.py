"""A name with several addresses: the one that answers is taken, on each event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import cast

import pytest
import uvloop

from moor.domain.models import Target
from moor.gateway.connector import Connector
from moor.gateway.outbound import Outbound

Address = tuple[str, int]


@contextlib.contextmanager
def silent() -> Iterator[tuple[str, int]]:
    """An address that answers no connection: a listener whose queue is full."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()


@contextlib.contextmanager
def nobody() -> Iterator[tuple[str, int]]:
    """An address that refuses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()


class Connected(asyncio.Protocol):
    """Who wanted the connection."""

    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self.transport = cast("asyncio.Transport", transport)


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.Loop])
def connect(request: pytest.FixtureRequest) -> Callable[[list[Address]], Address]:
    """Connects to a name that has these addresses, on one of the loops; where it got to."""

    def reached(addresses: list[Address]) -> Address:
        async def resolve(loop: object, host: object, port: object, **how: object) -> object:
            if host != "workspace.example":
                return await request.param.getaddrinfo(loop, host, port, **how)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

        async def scenario() -> Address:
            factory = cast("Callable[[], Outbound]", Connected)
            target = Target(scheme="http", host="workspace.example", port=80, path="/")
            made = cast("Connected", await asyncio.wait_for(Connector({}).connect(target, None, factory), 5))
            assert made.transport is not None
            found: Address = made.transport.get_extra_info("peername")
            made.transport.abort()
            return found

        loop = type("Resolving", (request.param,), {"getaddrinfo": resolve})
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(scenario())

    return reached


@pytest.mark.parametrize("dead", [silent, nobody])
def test_an_address_that_is_dead_holds_up_nobody(
    connect: Callable[[list[Address]], Address], dead: Callable[[], contextlib.AbstractContextManager[Address]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as alive, dead() as gone:
        address = alive.getsockname()
        assert connect([gone, address]) == address


def test_where_all_addresses_refuse_it_is_an_os_error(connect: Callable[[list[Address]], Address]) -> None:
    with nobody() as first, nobody() as second, pytest.raises(OSError, match=r"Connect call failed"):
        connect([first, second])


def test_a_name_without_an_address_is_an_os_error(connect: Callable[[list[Address]], Address]) -> None:
    with pytest.raises(OSError, match="no address"):
        connect([])


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, uvloop.Loop])
@pytest.mark.parametrize("name", ["a" * 70 + ".example", "a..example"])
def test_a_name_that_cannot_be_one_is_an_os_error(loop: Callable[[], asyncio.AbstractEventLoop], name: str) -> None:
    target = Target(scheme="http", host=name, port=80, path="/")
    factory = cast("Callable[[], Outbound]", Connected)
    with asyncio.Runner(loop_factory=loop) as runner, pytest.raises(OSError):
        runner.run(asyncio.wait_for(Connector({}).connect(target, None, factory), 5))
