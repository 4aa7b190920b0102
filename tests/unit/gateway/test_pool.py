"""Connections to upstreams belong to somebody at every moment, or they are closed."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable

import pytest

from moor.clock import SystemClock
from moor.domain.models import Target
from moor.errors.base import MoorError
from moor.gateway.connector import Connector
from moor.gateway.limits import Limits
from moor.gateway.outbound import Outbound
from moor.gateway.pool import Pool
from tests.unit.gateway.rig import run


class Slow(Connector):
    """Connects in earnest, then takes its time to say so."""

    async def connect(
        self, target: Target, context: ssl.SSLContext | None, factory: Callable[[], Outbound]
    ) -> Outbound:
        """The connection, after a minute."""
        outbound = await super().connect(target, context, factory)
        await asyncio.sleep(60)
        return outbound


class Waiting:
    """Who asked for the connection."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def connected(self, outbound: Outbound) -> None:
        """It came."""
        self.told.append(outbound)

    def not_connected(self, error: MoorError) -> None:
        """It did not."""
        self.told.append(error)


@pytest.mark.parametrize("leaves", [True, False])
def test_a_connection_that_stands_when_its_call_is_given_up_is_closed(leaves: bool) -> None:
    async def scenario() -> None:
        ended = asyncio.Event()
        began = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            began.set()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            ended.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        target = Target(scheme="http", host="127.0.0.1", port=server.sockets[0].getsockname()[1], path="/")
        pool = Pool(Slow({}), Limits(connect_s=60 if leaves else 0.2), SystemClock())
        borrower = Waiting()
        task = pool.open(target, None, borrower)
        await asyncio.wait_for(began.wait(), 5)
        await asyncio.sleep(0.05)
        if leaves:
            task.cancel()
        await asyncio.wait_for(ended.wait(), 5)
        assert [isinstance(word, MoorError) for word in borrower.told] == ([] if leaves else [True])
        pool.close()
        server.close()

    run(scenario())


def test_an_attempt_that_connects_after_it_was_given_up_is_closed() -> None:
    async def scenario() -> None:
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            ended.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        outbound = Outbound(Pool(Connector({}), Limits(), SystemClock()), ("http", "127.0.0.1", port), Limits())
        outbound.abort()
        await asyncio.get_running_loop().create_connection(lambda: outbound, "127.0.0.1", port)
        await asyncio.wait_for(ended.wait(), 5)
        assert not outbound.usable
        server.close()

    run(scenario())
