"""docs/reference/upstreams.md: the kinds, their settings, the dialects, what strict ones refuse, list prices."""

from __future__ import annotations

import importlib

from moor.domain import dialects, quirks
from moor.domain.settings import UpstreamSettings
from moor.upstreams import UPSTREAMS, prices
from scripts.reference.notes import class_notes, code, first_paragraph, module_notes, page, table

INTRO = """
An upstream is a place that serves models. Add one with `moor upstream add NAME --kind KIND`, or with `moor login`;
the settings stand under `[upstreams.NAME]` in `config.toml` ([settings.md](settings.md)).
"""

ROUTES = {
    dialects.ANTHROPIC_MESSAGES: "`POST /anthropic/v1/messages`, `…/count_tokens`, "
    "`GET /anthropic/v1/models`, `…/models/{id}`",
    dialects.OPENAI_CHAT: "`POST /openai/v1/chat/completions`, `GET /openai/v1/models`, `…/models/{id}`",
    dialects.OPENAI_RESPONSES: "`POST /openai/v1/responses`, `GET /openai/v1/models`, which with `?client_version=` "
    "is a catalogue in Codex's form",
    dialects.GEMINI_GENERATE: "`POST /gemini/v1beta/models/{id}:generateContent`, `:streamGenerateContent`, "
    "`:countTokens`, `GET /gemini/v1beta/models`, `…/models/{id}`",
}
"""the closed table of the gateway (design, decision 2)"""


def render() -> str:
    """The page."""
    return page("Upstreams", INTRO, kinds(), gateway(), refusals(), price_table())


def kinds() -> str:
    """One section a kind: what it is, and the settings that belong to it."""
    notes = class_notes(UpstreamSettings)
    parts = ["## Kinds"]
    for kind, entry in UPSTREAMS.items():
        module = importlib.import_module(entry.target.partition(":")[0])
        rows = [(code(name), note.replace(f" (kind {kind})", "")) for name, note in notes.items() if fits(note, kind)]
        parts += [f"### {kind}", f"{entry.summary[0].upper()}{entry.summary[1:]}. {first_paragraph(module.__doc__)}"]
        parts.append(table(("setting", "meaning"), rows))
    return "\n\n".join(parts)


def fits(note: str, kind: str) -> bool:
    """Whether a setting belongs to that kind, by the words of its note."""
    return "(kind " not in note or f"(kind {kind})" in note


def gateway() -> str:
    """The addresses that the gateway serves, by dialect."""
    rows = [(code(dialect), ROUTES[dialect]) for dialect in dialects.DIALECTS]
    return (
        "## Dialects\n\nThe gateway serves these addresses and no other; everything else is answered 404 without a "
        "credential. The upstream's address is built from dialect and model id, never from the client's path.\n\n"
        + table(("dialect", "addresses of the gateway"), rows)
    )


def refusals() -> str:
    """What upstreams refuse or alter; filters repair it (filters.md)."""
    notes = module_notes(quirks.__name__)
    rows = [(code(str(getattr(quirks, name))), note) for name, note in notes.items()]
    return (
        "## What upstreams refuse or alter\n\nAn upstream names its quirks; the filters of "
        "[filters.md](filters.md) ask for these names.\n\n" + table(("quirk", "what happens"), rows)
    )


def price_table() -> str:
    """The built-in list prices."""
    intro = (
        f"## List prices\n\nUsed where the upstream states none: {prices.SOURCE}, {prices.DATE}. Dollars per million "
        "tokens. A model that stands in neither has no price: its calls are counted, its cost is unknown, and it is "
        "refused under a money cap."
    )
    rows = [(code(model), *(f"{dollars:g}" for dollars in row)) for model, row in prices._TABLE.items()]
    return f"{intro}\n\n" + table(("model", "input", "output", "cache read", "cache write"), rows)
