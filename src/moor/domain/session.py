"""One agent at work in one directory, and what a lower floor must know of its agent."""

from __future__ import annotations

import msgspec

from moor.domain.budget import MONEY, SESSION, Cap, tightest
from moor.domain.policy import Policy
from moor.domain.watch import Watch

TERMINAL = "terminal"
HEADLESS = "headless"
BROWSER = "browser"
STANDALONE = "standalone"
"""a key of the stand-alone gateway, without an agent of ours"""

STARTING = "starting"
WORKING = "working"
WAITING_PERMISSION = "waiting for a permission"
WAITING_ANSWER = "waiting for an answer"
LIMITED = "limited"
IDLE = "idle"
ENDED = "ended"


class AgentTraits(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one agent that the wire needs; see the agent's own file for their sources."""

    user_agent: str = ""
    """`opencode/1.18.33`: appended to moor's own product token"""
    session_header: str = ""
    """request header that carries the agent's own session id"""
    parent_header: str = ""
    """request header that carries the parent's id in a sub-agent's call"""
    subagent_header: str = ""
    """request header that a sub-agent's call carries and the main agent's does not; its value names the sub-agent"""
    side_models: tuple[tuple[str, str], ...] = ()
    """(glob, slot): a model that the agent asks for by itself and that is not on the list is answered by the model
    of that slot, `main` or `small`; the first glob that fits counts. A model that the user can name is none."""
    listing: str = ""
    """not empty: OpenAI's listing of models is answered as a catalogue with metadata (`moor.wire.catalogue`)"""
    fatal_status: dict[str, int] = {}
    """cause to the status at which the agent stops at once; causes: `sign-in`, `forbidden-model`,
    `budget`, `unreachable`, `bad-upstream`, `bad-request`"""
    repeats_at_numbers: bool = False
    """the agent looks for numbers such as 500 in the text of an error, whatever its status, and asks again"""
    keepalive: str = "sse-comment"
    """how to keep a waiting stream alive: `sse-comment`, `ping`, `blank-line` (where a comment breaks the agent's
    reader), or any other word for not at all"""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Calls in the ledger, events in the journal and a process tree hang on it."""

    id: str
    agent: str
    cwd: str
    upstream: str
    model: str
    small_model: str = ""
    fallback: tuple[str, ...] = ()
    """models that answer, in this order, where the one that was asked for cannot: `MODEL` or `UPSTREAM/MODEL`"""
    seen: str = TERMINAL
    parent: str = ""
    policy: Policy = Policy()
    budget_nano: int | None = None
    """money cap in nano-dollars; None: no cap"""
    caps: tuple[Cap, ...] = ()
    """what its calls count into beside the money cap above: `all_caps` is everything"""
    watch: Watch = Watch()
    traits: AgentTraits = AgentTraits()
    key_hash: str = ""
    """SHA-256 of the gateway key; the key itself is stored nowhere"""
    tags: dict[str, str] = {}
    title: str = ""
    status: str = STARTING
    pid: int = 0
    """the agent's process (the launcher's own, after its exec)"""
    pid_start: float = 0.0
    """start time of that process, so that a reused pid is not taken for it"""
    gateway_pid: int = 0
    gateway_start: float = 0.0
    gateway_url: str = ""
    created_at: float = 0.0
    ended_at: float | None = None
    user: str = ""
    """login name on this machine"""
    repository: str = ""
    """where its work tree came from: the remote without credentials, else the folder's name"""
    branch: str = ""
    warning: str = ""
    """how far its caps are used, once that is worth saying"""
    outcome: str = ""
    """how a headless session ended; empty while it runs and for an interactive one"""

    def all_caps(self) -> tuple[Cap, ...]:
        """Everything its calls count into, the lowest of each scope."""
        if self.budget_nano is None:
            return tightest(self.caps) if self.caps else ()
        own = Cap(name=SESSION, per=SESSION, unit=MONEY, limit=self.budget_nano, session=self.id)
        return tightest((own, *self.caps))
