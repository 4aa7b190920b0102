"""docs/reference/settings.md: every key of config.toml, from the settings structs."""

from __future__ import annotations

import msgspec

from moor.domain.settings import (
    AgentSettings,
    Defaults,
    InstallSettings,
    PolicySettings,
    PriceSettings,
    UpstreamSettings,
)
from moor.store.settings import VARIABLES
from scripts.reference.notes import class_notes, code, first_paragraph, page, table

GROUPS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("defaults", Defaults),
    ("upstreams.NAME", UpstreamSettings),
    ('upstreams.NAME.prices."MODEL"', PriceSettings),
    ("agents.NAME", AgentSettings),
    ("policy", PolicySettings),
    ("install", InstallSettings),
)

TYPES = {
    "str": "text",
    "bool": "true or false",
    "tuple[str, ...]": "list of text",
    "dict[str, str]": "table of text",
    "dict[str, int]": "table of numbers",
    "dict[str, dict[str, str]]": "table of tables of text",
    "dict[str, moor.domain.settings.PriceSettings]": "tables",
    "float": "number",
    "float | None": "number",
    "int": "whole number",
}

INTERNAL = frozenset({"level"})
"""set by moor itself, an error in a file"""

INTRO = """
Settings are read from, first wins: options on the command line, the environment, the project file `.moor.toml`,
your own `config.toml` in moor's home (`~/.moor`, or `MOOR_HOME`), the defaults below. `moor config show --explain`
tells which one won and what it overrode; `moor config set KEY VALUE` writes your own file and keeps its comments.

Policies do not override each other: a model must pass the administrator's (`/etc/moorage/policy.toml`), yours, the
project's and the command line's; the smallest budget counts.

A project file may set `defaults.agent`, `defaults.model`, `defaults.small_model` and narrower `policy` keys. Anything
in it that names an upstream, an address, a variable, a file or a command is an error: a repository is not trusted.
"""


def render() -> str:
    """The page."""
    rows = [(code(variable), code(dotted)) for dotted, variable in VARIABLES.items()]
    rows += [("`MOOR_HOME`", "where moor keeps everything, instead of `~/.moor`"), ("`NO_COLOR`", "no colour")]
    environment = "## Environment\n\n" + table(("variable", "sets"), rows)
    return page("Settings", INTRO, *[section(name, cls) for name, cls in GROUPS], environment)


def section(name: str, cls: type[msgspec.Struct]) -> str:
    """One group with its keys."""
    notes = class_notes(cls)
    rows = [
        (code(field.name), kind(field), default(field), notes.get(field.name, ""))
        for field in msgspec.structs.fields(cls)
        if field.name not in INTERNAL
    ]
    intro = first_paragraph(cls.__doc__).partition(": ")[2]
    intro = f"{intro[0].upper()}{intro[1:]}"
    return f"## `[{name}]`\n\n{intro}\n\n" + table(("key", "type", "default", "meaning"), rows)


def names() -> list[str]:
    """All keys, for the test that looks for them."""
    return [field.name for _, cls in GROUPS for field in msgspec.structs.fields(cls) if field.name not in INTERNAL]


def kind(field: msgspec.structs.FieldInfo) -> str:
    """The type as a person says it."""
    spelled = field.type.__name__ if isinstance(field.type, type) and not hasattr(field.type, "__args__") else ""
    return TYPES.get(spelled or str(field.type), spelled or str(field.type))


def default(field: msgspec.structs.FieldInfo) -> str:
    """The default; `required` where there is none."""
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else None
    return "" if value in (None, "", (), {}) else code(str(value).lower() if isinstance(value, bool) else str(value))
