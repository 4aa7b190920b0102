"""docs/reference/filters.md: every rule on the wire, from its own declaration."""

from __future__ import annotations

from moor.gateway.filters import all_filters
from moor.gateway.filters.base import Filter
from scripts.reference.notes import code, page, table

INTRO = """
A filter is one rule on the wire: it repairs what an agent sends and a strict upstream refuses, or what an upstream
answers and agents cannot read. It runs where the upstream names the quirk ([upstreams.md](upstreams.md)) and the
dialect fits; what no filter changes passes byte for byte. The meter reads the upstream's own bytes, before repairs.
The ledger names the filters that changed a call. A compressed answer is not repaired; the gateway asks for none.
"""


def render() -> str:
    """The page."""
    return page("Filters", INTRO, *[section(rule) for rule in all_filters()])


def section(rule: Filter) -> str:
    """One rule."""
    rows = [
        ("why", rule.why),
        ("runs where the upstream names", code(rule.quirk)),
        *(
            [("once a model has refused", ", ".join(code(word.decode()) for word in rule.told_by))]
            if rule.told_by
            else []
        ),
        ("dialects", codes(rule.dialects)),
        ("model families", codes(rule.families) or "all"),
        ("agents", codes(rule.agents) or "all"),
        ("touches", codes(rule.fields)),
        ("phase, order", f"{' and '.join(rule.phases)}, {rule.priority}"),
        ("since", rule.since),
    ]
    return f"## {rule.name}\n\n" + table(("", ""), rows)


def codes(names: tuple[str, ...]) -> str:
    """The names as code, with commas."""
    return ", ".join(code(name) for name in names)
