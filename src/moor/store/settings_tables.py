"""A table of TOML to a struct; every error names the file, the line, the key and the fix.

The fast way is one msgspec conversion a group; only when that fails is the reason looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

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
    UpstreamSettings,
)
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
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LONG: Final = frozenset({"files", "model_entry"})
"""of an agent: texts of several lines"""
_LINES: Final = str.maketrans("", "", "\n\t")
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


def parse_named(source: Source, data: Mapping[str, Any], group: str, kind: type[T]) -> dict[str, T]:
    """The tables of a group by name."""
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
