"""Values of `anthropic-beta` that the workspace does not know are taken out of the header."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_UNKNOWN_BETAS
from moor.gateway.filters.base import Draft, Filter

_HEADER: Final = b"anthropic-beta"
KNOWN: Final = frozenset(
    (
        b"claude-code-20250219",
        b"interleaved-thinking-2025-05-14",
        b"fine-grained-tool-streaming-2025-05-14",
        b"extended-cache-ttl-2025-04-11",
        b"prompt-caching-2024-07-31",
        b"context-1m-2025-08-07",
        b"tool-search-tool-2025-10-19",
        b"advanced-tool-use-2025-11-20",
        b"token-efficient-tools-2025-02-19",
        b"effort-2025-11-24",
    )
)
"""betas that agents need and gateways are known to take (facts/databricks 2.4, 2.5)"""


def apply(draft: Draft) -> bool:
    """Keep the known values in their order; without any, the header goes."""
    sent = draft.headers.get(_HEADER)
    if sent is None:
        return False
    values = [item.strip() for item in sent.split(b",") if item.strip()]
    kept = [item for item in values if item in KNOWN]
    if len(kept) == len(values):
        return False
    if kept:
        draft.headers[_HEADER] = b",".join(kept)
    else:
        del draft.headers[_HEADER]
    return True


FILTER: Final = Filter(
    name="unknown-betas",
    priority=30,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_UNKNOWN_BETAS,
    why="a beta that the backend does not know is a 400; OpenCode sends structured-outputs-2025-11-13 always",
    since="0.1.0",
    fields=("header anthropic-beta",),
    header=_HEADER,
    apply=apply,
)
