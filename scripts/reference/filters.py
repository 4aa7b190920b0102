"""docs/reference/filters.md: every rule on the wire, from its own declaration."""

from __future__ import annotations

from moor.gateway.filters import FILTERS, load_filters
from scripts.reference.notes import code, page, table

INTRO = """
A filter is one rule on the wire: it repairs what an agent sends and a strict upstream refuses. It runs where the
upstream names the quirk ([upstreams.md](upstreams.md)) and the dialect fits; a request that no filter changes goes
out byte for byte. The ledger names the filters that changed a call.
"""


def render() -> str:
    """The page."""
    rows = [
        (
            code(rule.name),
            rule.phase,
            str(rule.priority),
            ", ".join(code(name) for name in rule.dialects),
            code(rule.quirk),
            ", ".join(code(field) for field in rule.touches),
            rule.why,
            rule.since,
        )
        for rule in load_filters(FILTERS)
    ]
    head = ("filter", "phase", "order", "dialects", "quirk", "touches", "why", "since")
    return page("Filters", INTRO, table(head, rows))
