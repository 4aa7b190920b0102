"""What makes an agent's description sound: each mistake is named with file, line and fix, before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.domain.dialects import DIALECTS
from moor.domain.template import (
    ADDRESSES,
    EFFORT,
    INSTALL,
    KEY,
    MACHINE,
    MODEL,
    MODELS,
    NAMES,
    NODE,
    PLACES,
    PROMPT,
    TRUSTED_KEY,
    names_in,
)
from moor.errors.config import ConfigTypeError, ConfigValueError

if TYPE_CHECKING:
    from moor.domain.settings import AgentSettings
    from moor.store.settings_tables import Source

_COMMON: Final = NAMES - MACHINE - {PROMPT, EFFORT, MODELS, KEY, TRUSTED_KEY}
_ARGUMENTS: Final = {
    "command": PLACES | MACHINE,
    "terminal": _COMMON,
    "headless": _COMMON | {PROMPT},
    "acp": _COMMON,
    "effort_args": frozenset({EFFORT}),
    "trusted": _COMMON,
    "untrusted": _COMMON,
}
_PRIVATE: Final = _COMMON | {KEY, TRUSTED_KEY, EFFORT, MODELS}
_BASE: Final = frozenset({"home", "session_home"})
_CAUSES: Final = ("sign-in", "forbidden-model", "budget", "unreachable", "bad-upstream", "bad-request")
_ACCESSES: Final = ("read", "write", "command", "fetch", "internal")
_SLOTS: Final = ("main", "small")
_SOURCES: Final = ("npm", "pip")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_PACKAGE: Final = {
    "npm": (re.compile(r"(@[\w.{}-]+/)?[\w.{}-]+@\d+\.\d+\.\d+[\w.+-]*"), '"PACKAGE@1.2.3"'),
    "pip": (re.compile(r"[\w.-]+(\[[\w,.-]+\])?==\d+[\w.]*"), '"PACKAGE==1.2.3"'),
    "node": (re.compile(r"\d+\.\d+\.\d+"), '"22.23.3"'),
}
_VERSION: Final = re.compile(r"\d+(\.\d+)*")


class _Where(NamedTuple):
    """One agent's table in one file."""

    source: Source
    name: str

    def wrong(self, key: Iterable[str], problem: str, hint: str = "") -> ConfigValueError:
        path = ("agents", self.name, *key)
        return ConfigValueError(place=self.source.place(*path), key=".".join(path), problem=problem, hint=hint)

    def lacks(self, field: str, example: str) -> ConfigTypeError:
        path = ("agents", self.name, field)
        expected = "given where an agent is described"
        return ConfigTypeError(
            place=self.source.place(*path), key=".".join(path), expected=expected, found="left out", example=example
        )


def check_description(source: Source, name: str, group: AgentSettings) -> None:
    """Raises ConfigValueError, ConfigTypeError for the first mistake."""
    where = _Where(source, name)
    if not group.command:
        raise where.lacks("command", 'command = ["PROGRAM"]')
    if not group.dialects:
        raise where.lacks("dialects", 'dialects = ["openai-chat"]')
    _check_words(where, group)
    _check_templates(where, group)
    _check_install(where, group)
    _check_paths(where, (*group.files, *group.copies))
    _check_values(where, group)


def _check_words(where: _Where, group: AgentSettings) -> None:
    for index in (*group.dialects, *group.by_dialect):
        if index not in DIALECTS:
            field = "dialects" if index in group.dialects else "by_dialect"
            raise where.wrong((field,), f"names {index!r}, which is no dialect", f"there are {', '.join(DIALECTS)}")
    for dialect, words in group.by_dialect.items():
        for word, text in words.items():
            if word in NAMES or not _WORD.fullmatch(word):
                problem = (
                    "is a name of moor's own" if word in NAMES else "is no name: use small letters, digits and _"
                )
                raise where.wrong(("by_dialect", dialect, word), problem)
            _known(where, ("by_dialect", dialect, word), text, ADDRESSES)
        missing = {word for others in group.by_dialect.values() for word in others} - set(words)
        if missing:
            raise where.wrong(("by_dialect", dialect), f"lacks {min(missing)}, which another dialect has")


def _check_templates(where: _Where, group: AgentSettings) -> None:
    own = frozenset(word for words in group.by_dialect.values() for word in words)
    for field, names in _ARGUMENTS.items():
        for text in getattr(group, field):
            if KEY in names_in(text):
                raise where.wrong(
                    (field,),
                    "holds {key}: everybody on this machine can read a command line",
                    "put it into env or files",
                )
            _known(where, (field,), text, names | (own if field != "command" else frozenset()))
    for path, text in _private_texts(group):
        _known(where, path, text, _PRIVATE | own)
    _known(where, ("model_name",), group.model_name, frozenset({"model"}) | own)
    _known(where, ("model_entry",), group.model_entry, MODEL | own)


def _private_texts(group: AgentSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    for field in ("env", "files"):
        table: Mapping[str, str] = getattr(group, field)
        for name, text in table.items():
            yield (field, name), text


def _known(where: _Where, path: tuple[str, ...], text: str, names: frozenset[str]) -> None:
    for name in names_in(text):
        if name not in names:
            hint = f"known here: {', '.join(sorted(names))}; for the braces themselves write {{{{{name}}}}}"
            raise where.wrong(path, f"holds {{{name}}}, which there is not", hint)


def _check_install(where: _Where, group: AgentSettings) -> None:
    wanted = {name for text in group.command for name in names_in(text)} & {INSTALL, NODE}
    if not group.install:
        if wanted:
            raise where.wrong(("command",), f"holds {{{min(wanted)}}}, but install is not given")
        return
    kinds = [kind for kind in _SOURCES if kind in group.install]
    if len(kinds) != 1:
        raise where.wrong(("install",), "must name one source", 'write it so: install = { npm = "PACKAGE@1.2.3" }')
    for kind, value in group.install.items():
        if kind == "lock":
            continue
        if kind not in _PACKAGE:
            raise where.wrong(("install", kind), "is not known", "known here: npm, pip, node, lock")
        pattern, example = _PACKAGE[kind]
        if not pattern.fullmatch(value):
            raise where.wrong(("install", kind), "must name one exact version", f"write it so: {kind} = {example}")
        _known(where, ("install", kind), value, MACHINE)
    if INSTALL not in names_in(" ".join(group.command[:2])):
        raise where.wrong(("command",), "must start with a program of the package: {install}/…")
    if NODE in wanted and NODE not in group.install:
        raise where.wrong(("command",), "holds {node}, but install names no node", 'node = "22.23.3"')


def _check_paths(where: _Where, paths: Iterable[str]) -> None:
    for path in paths:
        names = names_in(path)
        inside = names == [] or (len(names) == 1 and names[0] in _BASE and path.startswith(f"{{{names[0]}}}/"))
        if not inside or path.startswith(("/", "~")) or ".." in path.split("/"):
            hint = "write a path below the session's folder, or one that begins with {home}/"
            raise where.wrong(("files", path), "is not a private path", hint)


def _check_values(where: _Where, group: AgentSettings) -> None:
    _among(where, "fatal_status", group.fatal_status, _CAUSES)
    for cause, status in group.fatal_status.items():
        if not 400 <= status < 500:
            raise where.wrong(("fatal_status", cause), "must be a status from 400 to 499")
    for field, table, known in (("tools", group.tools, _ACCESSES), ("side_models", group.side_models, _SLOTS)):
        for name, value in table.items():
            if value not in known:
                raise where.wrong((field, name), f"must be one of {', '.join(known)}")
    for field in ("notice", "failed_text"):
        try:
            re.compile(getattr(group, field))
        except re.error as error:
            raise where.wrong((field,), f"is no regular expression: {error}") from None
    if group.works and not (len(group.works) == 2 and all(map(_VERSION.fullmatch, group.works))):
        raise where.wrong(("works",), "must be two versions", 'write it so: works = ["1.0", "2.0"]')


def _among(where: _Where, field: str, names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise where.wrong((field, name), "is not known", f"known here: {', '.join(known)}")
