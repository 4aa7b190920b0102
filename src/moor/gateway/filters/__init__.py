"""Repairs on the wire: one rule a file, registered here by name. See `moor.gateway.filters.base`."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Final

from moor.errors.gateway import FilterConflictError
from moor.gateway.filters.base import Filter

FILTERS: Final[dict[str, str]] = {
    "orphan-tool-blocks": "moor.gateway.filters.orphan_blocks:FILTER",
    "orphan-tool-messages": "moor.gateway.filters.orphan_messages:FILTER",
    "blank-text-blocks": "moor.gateway.filters.blank_blocks:FILTER",
    "blank-contents": "moor.gateway.filters.blank_contents:FILTER",
    "eager-input-streaming": "moor.gateway.filters.eager_input:FILTER",
    "unknown-betas": "moor.gateway.filters.unknown_betas:FILTER",
    "stream-options": "moor.gateway.filters.stream_options:FILTER",
    "include-usage": "moor.gateway.filters.include_usage:FILTER",
    "gemini-schema-keys": "moor.gateway.filters.schema_keys:FILTER",
    "store-and-strict": "moor.gateway.filters.store_strict:FILTER",
    "output-limit": "moor.gateway.filters.output_limit:FILTER",
    "chat-cache-marks": "moor.gateway.filters.chat_marks:FILTER",
    "thoughts-sent-back": "moor.gateway.filters.thought_returns:FILTER",
    "parallel-tool-calls": "moor.gateway.filters.parallel_calls:FILTER",
    "system-turns": "moor.gateway.filters.system_turns:FILTER",
    "hosted-tools": "moor.gateway.filters.hosted_tools:FILTER",
    "repeated-responses": "moor.gateway.filters.repeated_responses:FILTER",
    "unanswered-calls": "moor.gateway.filters.unanswered_calls:FILTER",
    "missing-signatures": "moor.gateway.filters.missing_signatures:FILTER",
    "client-metadata": "moor.gateway.filters.client_metadata:FILTER",
    "responses-tools": "moor.gateway.filters.responses_tools:FILTER",
    "output-config": "moor.gateway.filters.output_config:FILTER",
    "thinking-display": "moor.gateway.filters.thinking_display:FILTER",
    "adaptive-thinking": "moor.gateway.filters.adaptive_thinking:FILTER",
    "unknown-body-keys": "moor.gateway.filters.body_keys:FILTER",
    "cache-ttl": "moor.gateway.filters.cache_ttl:FILTER",
    "stream-end": "moor.gateway.filters.stream_end:FILTER",
    "temperature": "moor.gateway.filters.temperature:FILTER",
    "reasoning-effort": "moor.gateway.filters.reasoning_effort:FILTER",
    "list-content": "moor.gateway.filters.list_content:FILTER",
    "tool-call-names": "moor.gateway.filters.call_names:FILTER",
    "tool-call-finish": "moor.gateway.filters.call_finish:FILTER",
}
"""name to import string; a new rule is one file and one line"""


@lru_cache(maxsize=1)
def all_filters() -> tuple[Filter, ...]:
    """Every registered filter in the order in which they run. Raises FilterConflictError."""
    loaded = [_load(name, path) for name, path in FILTERS.items()]
    loaded.sort(key=lambda item: (item.priority, item.name))
    check_conflicts(loaded)
    return tuple(loaded)


def _load(name: str, path: str) -> Filter:
    module, _, attribute = path.partition(":")
    found: Filter = getattr(importlib.import_module(module), attribute)
    if found.name != name:
        raise FilterConflictError(first=name, second=found.name, field="name")
    return found


def check_conflicts(filters: list[Filter]) -> None:
    """Two filters must not touch the same field of the same dialect. Raises FilterConflictError."""
    for number, item in enumerate(filters):
        for other in filters[:number]:
            shared = set(item.fields) & set(other.fields)
            if shared and _meet(item, other):
                raise FilterConflictError(first=other.name, second=item.name, field=min(shared))


def _meet(first: Filter, second: Filter) -> bool:
    """Whether both could run on one call. One that stands back for the other's quirk and family does not meet it."""
    if not set(first.dialects) & set(second.dialects) or not set(first.phases) & set(second.phases):
        return False
    return not (_stands_back(first, second) or _stands_back(second, first))


def _stands_back(first: Filter, second: Filter) -> bool:
    return bool(second.families) and all((second.quirk, family) in first.unless for family in second.families)
