"""Changes to the user's config.toml: comments, order and everything else stay as they are.

The file is read, changed and replaced under a lock; a file that does not parse is left alone, and so is one
that would not be valid afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from moor.errors.config import ConfigTypeError, ConfigValueError, Place, SettingNotSetError, SettingUnknownError
from moor.store.files import locked, read_bounded, write_atomic
from moor.store.home import Home
from moor.store.settings_parse import parse_settings
from moor.store.settings_tables import GROUPS, MAX_CONFIG_BYTES, NAMED, close_setting, expected_words, parse_toml

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_TABLE: Final = "dict[str, str]"
Tables: TypeAlias = MutableMapping[str, Any]
"""a document of tomlkit, or plain tables"""


def set_value(home: Home, dotted: str, value: Any) -> None:
    """Set one setting (`defaults.model`), or a whole table (`upstreams.dev` and a mapping)."""
    set_values(home, {dotted: value})


def set_values(home: Home, values: Mapping[str, Any]) -> None:
    """Set several in one step: all of them, or none.

    Raises SettingUnknownError, and what `moor.store.settings_parse` raises for the file before or after.
    """
    for dotted, value in values.items():
        setting_type(dotted, whole_table=isinstance(value, Mapping))

    def change(document: Tables) -> None:
        for dotted, value in values.items():
            _put(document, dotted, value)

    _edit(home, change)


def remove(home: Home, dotted: str) -> None:
    """Remove one setting or a whole table. Raises SettingNotSetError when the file does not set it."""

    def change(document: Tables) -> None:
        if not _drop(document, dotted.split(".")):
            raise SettingNotSetError(key=dotted, path=home.config_path)

    _edit(home, change)


def value_from_text(dotted: str, text: str) -> Any:
    """A value as typed on a command line, in the setting's type. Raises SettingUnknownError, ConfigTypeError.

    A list is written `a,b` or as TOML; a member of `agents.NAME.env` is named by its own dotted key.
    """
    kind = setting_type(dotted)
    read = _READERS[kind]
    try:
        return read(text)
    except ValueError:
        expected, example = _words(dotted)
        name = dotted.rpartition(".")[2]
        raise ConfigTypeError(
            place=Place("moor config set"),
            key=dotted,
            expected=expected,
            found=repr(text[:40]),
            example=f"{name} = {example}",
        ) from None


def setting_type(dotted: str, whole_table: bool = False) -> str:
    """The type of a setting as its struct states it. Raises SettingUnknownError."""
    group, *rest = dotted.split(".")
    if group not in GROUPS or not all(rest):
        raise SettingUnknownError(key=dotted, close=close_setting((group,), tuple(GROUPS)))
    names = rest[1:] if group in NAMED else rest
    kinds = {name: str(kind) for name, kind in GROUPS[group].__annotations__.items()}
    if whole_table and group in NAMED and len(rest) == 1:
        return _TABLE
    if len(names) == 2 and kinds.get(names[0]) == _TABLE:
        return "str"
    if len(names) != 1 or names[0] not in kinds:
        key = (group, *rest) if rest else (group, "")
        raise SettingUnknownError(key=dotted, close=close_setting(key, tuple(kinds)))
    return kinds[names[0]]


def _edit(home: Home, change: Callable[[Tables], object]) -> None:
    """Made twice, in the document and in plain tables: what tomlkit writes must say what they hold, else nothing is
    written (0.15 loses tables that stand out of order in some changes)."""
    home.folder(home.locks_dir)
    path = home.config_path
    with locked(home.locks_dir / "config.lock"):
        data = read_bounded(path, MAX_CONFIG_BYTES) or b""
        _, plain = parse_toml(path, data)
        document = _document(data)
        change(document)
        change(plain)
        after = _text(document)
        source, found = parse_toml(path, after)
        parse_settings(source, found)
        if found != plain:
            problem = "cannot be changed here without changing others: its tables stand apart from each other"
            raise ConfigValueError(place=Place(path), key="the setting", problem=problem, hint=f"edit {path}")
        write_atomic(path, after)


def _document(data: bytes) -> TOMLDocument:
    import tomlkit

    return tomlkit.parse(data.decode("utf-8-sig"))


def _text(document: TOMLDocument) -> bytes:
    import tomlkit

    return tomlkit.dumps(document).encode()


def _put(document: Tables, dotted: str, value: Any) -> None:
    *tables, name = dotted.split(".")
    place: Any = document
    for depth, table in enumerate(tables):
        if table not in place:
            # a table that holds only tables needs no header of its own
            place[table] = _new_table(document, only_tables=depth == 0 and table in NAMED)
        place = place[table]
    value = _lists(value)
    if isinstance(value, Mapping) and isinstance(place.get(name), Mapping):
        there = place[name]
        for key in [*there]:
            if key not in value:
                del there[key]
        there.update(value)
    else:
        place[name] = value


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists(one) for key, one in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _new_table(document: Tables, *, only_tables: bool) -> Any:
    import tomlkit

    return tomlkit.table(is_super_table=only_tables) if isinstance(document, tomlkit.TOMLDocument) else {}


def _drop(document: Tables, parts: list[str]) -> bool:
    chain: list[Any] = [document]
    for part in parts[:-1]:
        below = chain[-1].get(part)
        if not isinstance(below, Mapping):
            return False
        chain.append(below)
    if parts[-1] not in chain[-1]:
        return False
    del chain[-1][parts[-1]]
    for depth in range(len(parts) - 2, -1, -1):  # tables that are empty now go too
        if chain[depth + 1]:
            break
        del chain[depth][parts[depth]]
    return True


def _words(dotted: str) -> tuple[str, str]:
    group, *rest = dotted.split(".")
    name = rest[1] if group in NAMED else rest[0]
    if len(rest) == 3:
        return "a text", '"…"'
    return expected_words(GROUPS[group], name)


def _read_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _read_list(text: str) -> list[str]:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    import tomllib

    value = tomllib.loads(f"value = {text}")["value"]  # TOMLDecodeError is a ValueError
    if not all(isinstance(one, str) for one in value):
        raise ValueError(text)
    return list(value)


def _read_table(text: str) -> dict[str, str]:
    raise ValueError(text)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "str": str,
    "bool": _read_bool,
    "int | None": int,
    "float | None": float,
    "int": int,
    "tuple[str, ...]": _read_list,
    _TABLE: _read_table,
    "dict[str, int]": _read_table,
    "dict[str, dict[str, str]]": _read_table,
    "dict[str, PriceSettings]": _read_table,
}


def config_text(path: Path) -> str:
    """The user's file as it stands; empty when there is none."""
    return (read_bounded(path, MAX_CONFIG_BYTES) or b"").decode("utf-8-sig", "replace")
