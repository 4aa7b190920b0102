"""A gateway in front of a simulated workspace, with the real upstream, sign-in store and ledger between them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from moor.clock import SystemClock
from moor.domain.session import AgentTraits, Session
from moor.domain.settings import UpstreamSettings
from moor.gateway.limits import Limits
from moor.gateway.ports import SessionKeys
from moor.gateway.server import Gateway
from moor.secrets import key_hash
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home
from moor.upstreams import open_upstream
from tests.unit.gateway.rig import KEY, Answer, Client, Rows

TRAITS = AgentTraits(
    user_agent="opencode/1.18.33", session_header="x-session-affinity", parent_header="x-parent-session-id"
)


class SimRig:
    """One gateway on one simulated workspace."""

    def __init__(self, sim: Any, gateway: Gateway, port: int, ledger: Rows, upstream: Any) -> None:
        self.sim = sim
        self.gateway = gateway
        self.port = port
        self.ledger = ledger
        self.upstream = upstream

    async def ask(self, path: str, body: Any, headers: dict[str, str] | None = None, method: str = "POST") -> Answer:
        """One call through the gateway."""
        client = await Client(self.port).open()
        try:
            return await client.ask(method, path, headers, body)
        finally:
            client.close()

    async def rows(self, count: int) -> list[Any]:
        """The ledger's rows, once there are that many."""
        for _ in range(300):
            if len(self.ledger.rows) >= count:
                break
            await asyncio.sleep(0.01)
        return self.ledger.rows

    async def control(self, name: str, *args: Any, **fields: Any) -> Any:
        """A call of the simulator's control client, off the loop."""
        return await asyncio.to_thread(getattr(self.sim.control, name), *args, **fields)


@asynccontextmanager
async def sim_rig(sim: Any, folder: Path, *, limits: Limits | None = None, **session: Any) -> AsyncIterator[SimRig]:
    """A running gateway signed in to the simulated workspace with a PAT."""
    home = Home(folder / "home")
    settings = UpstreamSettings(kind="databricks", host=sim.url, auth="pat")
    token = await asyncio.to_thread(sim.control.mint)
    store = CredentialStore(home)
    store.save("ws", StoredCredential(kind="pat", access_token=token, host=sim.url, generation="1"))
    upstream = open_upstream("ws", settings, home, {}, SystemClock())
    await asyncio.to_thread(upstream.refresh_catalogue)
    listening = socket.create_server(("127.0.0.1", 0))
    given: dict[str, Any] = {"id": "ses_sim", "agent": "opencode", "cwd": "/", "upstream": "ws", "model": "m"}
    row = Session(**{**given, "key_hash": key_hash(KEY), "traits": TRAITS, **session})
    ledger = Rows()
    gateway = Gateway(
        sockets=[listening],
        keys=SessionKeys([row]),
        upstreams={"ws": upstream},
        ledger=ledger,
        clock=SystemClock(),
        limits=limits or Limits(tick_s=0.05),
    )
    await gateway.start()
    try:
        yield SimRig(sim, gateway, listening.getsockname()[1], ledger, upstream)
    finally:
        await gateway.close(0.2)


async def straight(rig: SimRig, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """The same request without a gateway between: what the workspace says to the agent itself."""
    credential = await asyncio.to_thread(rig.upstream.credential().obtain)
    client = await Client(urlsplit(rig.sim.url).port or 80).open()
    given = {**headers, "authorization": f"Bearer {credential.secret.reveal()}", "content-type": "application/json"}
    try:
        return await client.ask("POST", path, given, body)
    finally:
        client.close()


def compact(value: Any) -> bytes:
    """JSON as agents write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
