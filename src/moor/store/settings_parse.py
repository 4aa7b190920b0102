"""TOML text to settings; every error names the file, the line, the key and the fix.

The fast way is one msgspec conversion a group; only when that fails is the reason looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from moor.domain.budget import PERIODS
from moor.domain.settings import (
    AgentSettings,
    BudgetSettings,
    Defaults,
    GatewaySettings,
    GuardSettings,
    InstallSettings,
    LogSettings,
    PolicySettings,
    PriceSettings,
    Settings,
    UpstreamSettings,
)
from moor.domain.watch import ACTIONS
from moor.errors.config import ConfigSyntaxError, ConfigTypeError, ConfigUnknownKeyError, ConfigValueError, Place

T = TypeVar("T", bound=msgspec.Struct)

MAX_CONFIG_BYTES: Final = 1024 * 1024
GROUPS: Final[dict[str, type[msgspec.Struct]]] = {
    "defaults": Defaults,
    "upstreams": UpstreamSettings,
    "agents": AgentSettings,
    "policy": PolicySettings,
    "budgets": BudgetSettings,
    "gateway": GatewaySettings,
    "guard": GuardSettings,
    "log": LogSettings,
    "install": InstallSettings,
}
NAMED: Final = frozenset({"upstreams", "agents", "budgets"})
"""groups that hold one table a name"""
_MAX_AGE_DAYS: Final = 3650
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LONG: Final = frozenset({"files", "model_entry"})
"""of an agent: texts of several lines"""
_LINES: Final = str.maketrans("", "", "\n\t")
DESCRIBING: Final = frozenset(AgentSettings.__struct_fields__[AgentSettings.__struct_fields__.index("command") :])
"""fields that describe an agent"""
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]")
"""also the line ends and the direction marks of Unicode, which make a line read as another"""
_WORDS: Final = {
    "str": ("a text in quotes", '"…"'),
    "bool": ("true or false", "true"),
    "float | None": ("a number of dollars", "5.0"),
    "int | None": ("a whole number", "100000"),
    "int": ("a whole number", "7"),
    "tuple[str, ...]": ("a list of texts", '["…", "…"]'),
    "dict[str, str]": ("a table of texts", '{ NAME = "…" }'),
    "dict[str, int]": ("a table of numbers", "{ NAME = 403 }"),
    "dict[str, dict[str, str]]": ("a table of tables of texts", '{ NAME = { WORD = "…" } }'),
    "float": ("a number of dollars", "5.0"),
    "dict[str, PriceSettings]": ("one table a model", '{ "MODEL" = { input = 1.0, output = 5.0 } }'),
}
_FOUND: Final = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


_COMPLETE: Final[dict[type[msgspec.Struct], str]] = {PriceSettings: "write it so: input = 1.0, output = 5.0"}
"""the fix where a required key is missing"""


class Source:
    """A TOML text and the file it came from."""

    def __init__(self, path: Path | str, text: str) -> None:
        self.path = path
        self.text = text

    def place(self, *key: str) -> Place:
        """The file and line of a key."""
        from moor.store.toml_lines import line_of

        return Place(self.path, line_of(self.text, key))


def parse_toml(path: Path, data: bytes) -> tuple[Source, dict[str, Any]]:
    """The text and its tables. Raises ConfigSyntaxError."""
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigSyntaxError(place=Place(path, line), problem="it is not UTF-8 text") from None
    try:
        return Source(path, text), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from None
    except RecursionError:
        raise ConfigSyntaxError(place=Place(path), problem="it is nested too deeply") from None


def parse_settings(source: Source, data: Mapping[str, Any]) -> Settings:
    """All groups of a user's file. Raises ConfigUnknownKeyError, ConfigTypeError, ConfigValueError."""
    for key in data:
        if key not in GROUPS:
            raise unknown_key(source, (key,), tuple(GROUPS))
    return Settings(
        defaults=parse_group(source, Defaults, data.get("defaults", {}), "defaults"),
        upstreams=_upstreams(source, data),
        agents=_agents(source, data),
        policy=parse_policy(source, data),
        budgets=parse_budgets(source, data),
        gateway=parse_group(source, GatewaySettings, data.get("gateway", {}), "gateway"),
        guard=parse_guard(source, data),
        log=_log(source, data),
        install=_install(source, data),
    )


def parse_description(source: Source, data: Mapping[str, Any], name: str) -> AgentSettings:
    """The description of one agent that stands in a file of its own. Raises ConfigError."""
    whole = {"agents": {name: dict(data)}}
    return _agents(source, whole)[name]


def _install(source: Source, data: Mapping[str, Any]) -> InstallSettings:
    group = parse_group(source, InstallSettings, data.get("install", {}), "install")
    if not 0 <= group.min_age_days <= _MAX_AGE_DAYS:
        raise ConfigValueError(
            place=source.place("install", "min_age_days"),
            key="install.min_age_days",
            problem=f"must be a number of days from 0 to {_MAX_AGE_DAYS}",
            hint="write it so: min_age_days = 7",
        )
    return group


def parse_policy(source: Source, data: Mapping[str, Any]) -> PolicySettings:
    """The `[policy]` group, its values checked."""
    policy = parse_group(source, PolicySettings, data.get("policy", {}), "policy")
    _check_dollars(source, policy.budget_usd, "policy", "budget_usd")
    _check_tokens(source, policy.budget_tokens, "policy", "budget_tokens")
    for name in ("allow", "deny"):
        if "" in getattr(policy, name):
            raise ConfigValueError(
                place=source.place("policy", name),
                key=f"policy.{name}",
                problem="holds an empty pattern",
                hint=f'write model ids or globs: {name} = ["claude-*"]',
            )
    return policy


def parse_budgets(source: Source, data: Mapping[str, Any]) -> dict[str, BudgetSettings]:
    """The `[budgets.NAME]` groups, their values checked."""
    found = _named(source, data, "budgets", BudgetSettings)
    for name, budget in found.items():
        _check_dollars(source, budget.usd, "budgets", name, "usd")
        _check_tokens(source, budget.tokens, "budgets", name, "tokens")
        problems = {
            "per": budget.per not in PERIODS and f"is none of {', '.join(PERIODS)}",
            "tag": bool(budget.tag) and "=" not in budget.tag[1:] and "is no KEY=VALUE",
            "usd": budget.usd is None and budget.tokens is None and "or tokens must be set",
        }
        for key, problem in problems.items():
            if problem:
                place = source.place("budgets", name, key)
                raise ConfigValueError(place=place, key=f"budgets.{name}.{key}", problem=problem)
    return found


def parse_guard(source: Source, data: Mapping[str, Any]) -> GuardSettings:
    """The `[guard]` group, its values checked."""
    guard = parse_group(source, GuardSettings, data.get("guard", {}), "guard")
    if guard.action not in ACTIONS:
        raise ConfigValueError(
            place=source.place("guard", "action"), key="guard.action", problem=f"is none of {', '.join(ACTIONS)}"
        )
    for pattern in guard.patterns:
        try:
            empty = re.compile(pattern).search("") is not None
            problem = "matches everywhere" if empty else ""
        except re.error as error:
            problem = f"is no regular expression: {error}"
        if problem:
            place = source.place("guard", "patterns")
            raise ConfigValueError(place=place, key="guard.patterns", problem=f"{printable(pattern)!r} {problem}")
    return guard


def _log(source: Source, data: Mapping[str, Any]) -> LogSettings:
    group = parse_group(source, LogSettings, data.get("log", {}), "log")
    if not 0 <= group.payload_mb <= 100_000:
        raise ConfigValueError(
            place=source.place("log", "payload_mb"),
            key="log.payload_mb",
            problem="must be a number of MB, 0 for none",
            hint="write it so: payload_mb = 200",
        )
    return group


def _check_dollars(source: Source, value: float | None, *key: str) -> None:
    if value is not None and not 0 < value < 1e9:  # nan compares false
        raise ConfigValueError(
            place=source.place(*key),
            key=".".join(key),
            problem="must be a number of dollars above 0",
            hint=f"write it so: {key[-1]} = 5.0",
        )


def _check_tokens(source: Source, value: int | None, *key: str) -> None:
    if value is not None and not 0 < value < 1 << 50:
        raise ConfigValueError(
            place=source.place(*key),
            key=".".join(key),
            problem="must be a number of tokens above 0",
            hint=f"write it so: {key[-1]} = 1000000",
        )


def parse_group(source: Source, kind: type[T], value: Any, *key: str) -> T:
    """One table as its struct."""
    try:
        group = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _diagnosis(source, kind, value, key, error) from None
    for path, text in _texts(value, key):
        if has_control(text.translate(_LINES) if len(path) > 2 and path[2] in _LONG else text):
            raise ConfigValueError(place=source.place(*path), key=".".join(path), problem="holds a control character")
    return group


def unknown_key(source: Source, key: tuple[str, ...], known: tuple[str, ...]) -> ConfigUnknownKeyError:
    """The error for a key that is not among `known`, its siblings."""
    dotted = ".".join(key)
    return ConfigUnknownKeyError(
        place=source.place(*key), key=printable(dotted), close=close_setting(key, known), known=known
    )


def close_setting(key: tuple[str, ...], known: tuple[str, ...]) -> str:
    """The setting that was probably meant: a sibling, else one of the same name in another group."""
    import difflib

    siblings = difflib.get_close_matches(key[-1], known, n=1)
    if siblings:
        return ".".join((*key[:-1], siblings[0]))
    for group, kind in GROUPS.items():
        if group not in NAMED and key[-1] in kind.__struct_fields__:
            return f"{group}.{key[-1]}"
    return ""


def has_control(text: str) -> bool:
    """Whether the text holds a control character: terminal escapes, line ends, direction marks."""
    return _CONTROL.search(text) is not None


def printable(text: str) -> str:
    """The text with everything invisible as escapes, and not longer than 80 characters."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:80])


def _named(source: Source, data: Mapping[str, Any], group: str, kind: type[T]) -> dict[str, T]:
    tables = data.get(group, {})
    if not isinstance(tables, dict):
        raise _type_error(source, (group,), "one table a name", tables, f"[{group}.NAME]")
    found: dict[str, T] = {}
    for name, table in tables.items():
        if not NAME.fullmatch(name):
            raise ConfigValueError(
                place=source.place(group, name),
                key=f'{group}."{printable(name)}"',
                problem="is not a name: use letters, digits, - and _",
            )
        found[name] = parse_group(source, kind, table, group, name)
    return found


def _upstreams(source: Source, data: Mapping[str, Any]) -> dict[str, UpstreamSettings]:
    tables = data.get("upstreams", {})
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict):
            parse_prices(source, table, "upstreams", name)
    return _named(source, data, "upstreams", UpstreamSettings)


def parse_prices(source: Source, table: Mapping[str, Any], *key: str) -> dict[str, PriceSettings]:
    """The tables under `prices`, their values checked; a value that is no table is left to the caller's own check."""
    prices = table.get("prices", {})
    found: dict[str, PriceSettings] = {}
    for model, price in prices.items() if isinstance(prices, dict) else ():
        at = (*key, "prices", model)
        known = PriceSettings.__struct_fields__[:-1]
        if isinstance(price, dict) and "level" in price:
            raise unknown_key(source, (*at, "level"), known)
        found[model] = parse_group(source, PriceSettings, price, *at)
        for kind in ("input", "output", "cache_read", "cache_write", "cache_write_1h"):
            dollars = getattr(found[model], kind)
            if dollars is not None and not 0 <= dollars < 1e6:  # nan compares false
                raise ConfigValueError(
                    place=source.place(*at, kind),
                    key=printable(".".join((*at, kind))),
                    problem="must be dollars per million tokens, 0 or more",
                    hint=f"write it so: {kind} = 5.0",
                )
    return found


def _agents(source: Source, data: Mapping[str, Any]) -> dict[str, AgentSettings]:
    found = _named(source, data, "agents", AgentSettings)
    for name, group in found.items():
        if group.command or any(field in DESCRIBING for field in data["agents"][name]):
            from moor.store.descriptions import check_description

            check_description(source, name, group)
    return found


def _diagnosis(
    source: Source, kind: type[msgspec.Struct], value: Any, key: tuple[str, ...], error: msgspec.ValidationError
) -> Exception:
    if not isinstance(value, dict):
        return _type_error(source, key, "a table", value, f"[{'.'.join(key)}]")
    for name, entry in value.items():
        if name not in kind.__struct_fields__:
            return unknown_key(source, (*key, name), kind.__struct_fields__)
        expected, example = expected_words(kind, name)
        if not _fits(kind, name, entry):
            return _type_error(source, (*key, name), expected, entry, f"{name} = {example}")
    wanted = re.search(r"missing required field `(\w+)`", str(error))
    return ConfigValueError(
        place=source.place(*key),
        key=".".join(key),
        problem=f"has no {wanted.group(1)}" if wanted else str(error),
        hint=_COMPLETE.get(kind, f"moor {key[0].removesuffix('s')} add --help"),
    )


def expected_words(kind: type[msgspec.Struct], name: str) -> tuple[str, str]:
    """What a field takes, in words, and an example."""
    return _WORDS[str(kind.__annotations__[name])]


def _fits(kind: type[msgspec.Struct], name: str, value: Any) -> bool:
    tests: dict[str, Callable[[Any], bool]] = {
        "str": lambda v: isinstance(v, str),
        "bool": lambda v: isinstance(v, bool),
        "float | None": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        "float": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
        "int": lambda v: type(v) is int,
        "int | None": lambda v: type(v) is int,
        "tuple[str, ...]": lambda v: isinstance(v, list) and all(isinstance(one, str) for one in v),
        "dict[str, str]": _is_table_of(str),
        "dict[str, int]": _is_table_of(int),
        "dict[str, dict[str, str]]": lambda v: _is_table_of(dict)(v) and all(map(_is_table_of(str), v.values())),
    }
    tests["dict[str, PriceSettings]"] = _is_table_of(dict)
    return tests[str(kind.__annotations__[name])](value)


def _is_table_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(type(one) is kind for one in value.values())


def _type_error(source: Source, key: tuple[str, ...], expected: str, value: Any, example: str) -> ConfigTypeError:
    found = _FOUND.get(type(value), "a date or time")
    if isinstance(value, list | dict):
        found = f"{found} with other things in it" if expected.split()[1] in found else found
    return ConfigTypeError(
        place=source.place(*key), key=printable(".".join(key)), expected=expected, found=found, example=example
    )


def _texts(value: Any, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text and every key below a value, with the key it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, key)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield key, name
            yield from _texts(entry, (*key, name))


def _syntax_error(path: Path, text: str, message: str) -> ConfigSyntaxError:
    found = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", message)
    problem = message[: found.start()] if found else message
    line = int(found.group(1)) if found and found.group(1) else len(text.splitlines())
    return ConfigSyntaxError(place=Place(path, line), problem=printable(problem))
