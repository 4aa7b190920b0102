"""What the simulator remembers of requests and of tokens used; never a credential."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from typing import Any, Final

import msgspec

from moor.domain.usage import Usage
from moor.secrets import redact
from moor.sim.messages import Json, Request

_HIDDEN: Final = frozenset(
    {"access_token", "refresh_token", "token_value", "client_secret", "code", "code_verifier", "token", "password"}
)
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_LIMIT: Final = 20_000
_BODIES: Final = 32 * 1024 * 1024


class Seen(msgspec.Struct, kw_only=True):
    """One request as the log keeps it."""

    number: int
    at: float
    method: str
    path: str
    query_names: list[str] = []
    header_names: list[str] = []
    user_agent: str = ""
    request_tags: str = ""
    session_headers: dict[str, str] = {}
    """x-session-id and its kin, by which agents mark their sessions"""
    betas: str = ""
    model: str = ""
    dialect: str = ""
    stream: bool = False
    user: str = ""
    token_generation: int = 0
    """which issued token was presented; 0 when none of ours was"""
    credential_in: str = ""
    """the header the credential came in"""
    status: int = 0
    refusal: str = ""
    """why a strict rule refused it"""
    fault: int = 0
    """the fault that struck, by id"""
    body_bytes: int = 0
    body_sha256: str = ""
    body_text: str = ""
    """credentials removed; shown only on request"""
    client_left: bool = False
    """the client closed before the answer was out"""
    finished: bool = False


class RequestLog:
    """The last 20,000 requests, with the newest 32 Mi characters of their bodies; older bodies are dropped."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=_LIMIT)
        self._with_body: deque[Seen] = deque()
        self._body_size = 0
        self._count = 0

    def open(self, request: Request, at: float) -> Seen:
        """A new entry for a request that has arrived whole."""
        self._count += 1
        seen = Seen(
            number=self._count,
            at=at,
            method=request.method,
            path=redact(request.path),
            query_names=sorted(request.query),
            header_names=[name for name, _ in request.headers],
            user_agent=redact(request.header("user-agent")),
            request_tags=redact(request.header("databricks-ai-gateway-request-tags")),
            session_headers={
                n: redact(v) for n, v in request.headers if n.endswith("session-id") or n == "thread-id"
            },
            betas=redact(request.header("anthropic-beta")),
            body_bytes=len(request.body),
            body_sha256=hashlib.sha256(request.body).hexdigest() if request.body else "",
            body_text=clean_body(request),
        )
        self._seen.append(seen)
        self._keep_body(seen)
        return seen

    def _keep_body(self, seen: Seen) -> None:
        self._with_body.append(seen)
        self._body_size += len(seen.body_text)
        while self._body_size > _BODIES:
            oldest = self._with_body.popleft()
            self._body_size -= len(oldest.body_text)
            oldest.body_text = ""

    def all(self) -> list[Seen]:
        """Every entry, oldest first."""
        return list(self._seen)

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._seen.clear()
        self._with_body.clear()
        self._body_size = 0


def clean_body(request: Request) -> str:
    """The body as text with every credential taken out; forms lose the values of secret fields."""
    if not request.body:
        return ""
    if request.header("content-type").startswith(_FORM_TYPE):
        fields = {k: "…" if k in _HIDDEN or "token" in k else v for k, v in request.form().items()}
        return redact("&".join(f"{k}={v}" for k, v in fields.items()))
    try:
        value = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return redact(request.body.decode("utf-8", "replace"))
    if isinstance(value, dict) and not _HIDDEN.isdisjoint(value):
        value = {k: "…" if k in _HIDDEN else v for k, v in value.items()}
        return redact(msgspec.json.encode(value).decode())
    return redact(request.body.decode("utf-8", "replace"))


class Used(msgspec.Struct, kw_only=True):
    """One model call that the simulator answered."""

    number: int
    """the request's number in the log"""
    model: str
    dialect: str
    usage: Usage
    scenario: str = ""
    complete: bool = False
    """False while running, and for ever when the client left or the stream was cut"""


class UsageBook:
    """The simulator's own count, to compare a ledger with."""

    def __init__(self) -> None:
        self.calls: list[Used] = []

    def add(self, used: Used) -> Used:
        """Keep one call."""
        self.calls.append(used)
        return used

    def totals(self) -> list[Json]:
        """Sums of complete calls by model, sorted; incomplete ones are counted apart."""
        rows: dict[str, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(("calls", "incomplete"), 0))
        for used in self.calls:
            row = rows[used.model]
            if not used.complete:
                row["incomplete"] += 1
                continue
            row["calls"] += 1
            for key, value in msgspec.structs.asdict(used.usage).items():
                row[key] = row.get(key, 0) + value
        return [{"model": model, **row} for model, row in sorted(rows.items())]
