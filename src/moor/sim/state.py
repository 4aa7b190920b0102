"""Everything one simulated workspace remembers. Lives on the server's loop; `reset` forgets it all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from moor.clock import Clock
from moor.sim.catalogue.models import CATALOGUE, ModelCard
from moor.sim.config import SimConfig, SimUser
from moor.sim.faults import FaultBook
from moor.sim.identity.tokens import Held, TokenBook
from moor.sim.messages import Reply, Request
from moor.sim.records import RequestLog, Seen, UsageBook
from moor.sim.script.library import Library
from moor.sim.simclock import SimClock
from moor.sim.switches import Switchboard


class Code(msgspec.Struct, kw_only=True):
    """One authorization code waiting for its exchange."""

    challenge: str
    redirect_uri: str
    client_id: str
    scope: str
    user: str
    expires_at: float
    used: bool = False


class SimState:
    """The workspace's memory and settings; the control API and tests reach in here."""

    def __init__(self, config: SimConfig, clock: Clock | None = None) -> None:
        self.config = config
        self.clock = SimClock(clock)
        self.url = ""
        self.gateway_url = ""
        self.models: dict[str, ModelCard] = CATALOGUE
        self.library = Library.load(Path(config.scenarios_dir) if config.scenarios_dir else None)
        self._begin()

    def _begin(self) -> None:
        self.switches = Switchboard(self.config.switches)
        self.tokens = TokenBook(self.clock, f"{self.url}/oidc")
        self.codes: dict[str, Code] = {}
        self.principals: dict[str, str] = {}
        self.faults = FaultBook()
        self.log = RequestLog()
        self.usage = UsageBook()
        self.token_ttl_s = self.config.token_ttl_s
        self.rotate_refresh = self.config.rotate_refresh
        self.dead_form = ""
        self.dead_turn = 0
        self.calls = 0

    def reset(self) -> None:
        """Forget tokens, faults, log, usage and switches; time goes back to the base clock."""
        self.clock.reset()
        self._begin()

    @property
    def workspace_id(self) -> str:
        """The id the workspace states of itself."""
        return self.config.workspace_id

    def user(self, name: str) -> SimUser:
        """The person of that name; a service principal is made up on the spot."""
        known = next((user for user in self.config.users if user.name == name), None)
        return known or SimUser(name=name, display=name, id=str(5000 + len(name)))


class Ask(msgspec.Struct, kw_only=True):
    """A request on its way to a handler, with who asks and what the path held."""

    state: SimState
    request: Request
    held: Held | None
    """the presented token; None on open routes"""
    seen: Seen
    """the log's entry, to be completed"""
    params: dict[str, str] = {}
    """named parts of the path"""

    @property
    def user(self) -> SimUser:
        """Who asks."""
        return self.state.user(self.held.user if self.held else self.state.config.users[0].name)


Handler = Callable[[Ask], Awaitable[Reply]]
