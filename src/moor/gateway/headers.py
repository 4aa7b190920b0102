"""Which headers pass, each way, per dialect. Everything that is not named stays here (design, decision 2).

So a repository that injects `Databricks-Model-Provider-Service` into an agent's provider (facts/opencode 23)
picks no other provider, and no credential or cookie of a client travels on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES

if TYPE_CHECKING:
    from moor.wire.strictness import Headers

TO_UPSTREAM: Final[dict[str, tuple[bytes, ...]]] = {
    ANTHROPIC_MESSAGES: (b"anthropic-version", b"anthropic-beta"),
    OPENAI_CHAT: (b"openai-beta",),
    OPENAI_RESPONSES: (b"openai-beta",),
    GEMINI_GENERATE: (),
}

TO_AGENT: Final[frozenset[bytes]] = frozenset(
    (
        b"content-type",
        b"content-encoding",
        b"cache-control",
        b"retry-after",
        b"retry-after-ms",
        b"request-id",
        b"x-request-id",
        b"openai-processing-ms",
        b"x-should-retry",
        b"x-moor-simulated",
    )
)
_TO_AGENT_BEGINNINGS: Final = (b"anthropic-ratelimit-", b"x-ratelimit-")
_known: Final[dict[bytes, bool]] = {}
_MAX_KNOWN: Final = 256


def pass_to_upstream(dialect: str, named: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The agent's headers that travel on."""
    return {name: named[name] for name in TO_UPSTREAM[dialect] if name in named}


def pass_to_agent(headers: Headers) -> Headers:
    """The upstream's headers that travel back."""
    return [pair for pair in headers if _passes(pair[0])]


def agent_lines(headers: Headers) -> bytes:
    """The same as header lines."""
    return b"".join([b"%s: %s\r\n" % pair for pair in headers if _passes(pair[0])])


def _passes(name: bytes) -> bool:
    """Whether a header of that name does; an upstream's answers have the same ones each time."""
    known = _known.get(name)
    if known is None:
        known = name in TO_AGENT or name.startswith(_TO_AGENT_BEGINNINGS)
        if len(_known) < _MAX_KNOWN:
            _known[name] = known
    return known
