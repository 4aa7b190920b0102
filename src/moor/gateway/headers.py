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


def pass_to_upstream(dialect: str, named: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The agent's headers that travel on."""
    return {name: named[name] for name in TO_UPSTREAM[dialect] if name in named}


def pass_to_agent(headers: Headers) -> Headers:
    """The upstream's headers that travel back."""
    return [pair for pair in headers if pair[0] in TO_AGENT or pair[0].startswith(_TO_AGENT_BEGINNINGS)]


def agent_lines(headers: Headers) -> bytes:
    """The same as header lines."""
    return b"".join(
        [b"%s: %s\r\n" % pair for pair in headers if pair[0] in TO_AGENT or pair[0].startswith(_TO_AGENT_BEGINNINGS)]
    )
