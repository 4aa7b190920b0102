"""One numbered event of a session, as it is kept."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.event import Event
from moor.secrets import redact

MAX_RAW_BYTES: Final = 1024 * 1024
"""a larger raw event is left out; its parsed form stays"""


class Entry(msgspec.Struct, frozen=True):
    """An event, its number in the session (from 1, without gaps) and its time."""

    seq: int
    at: float
    """seconds since the epoch"""
    event: Event


def to_row(session: str, entry: Entry) -> tuple[str, int, float, str, str, str | None]:
    """Columns of the `events` table, with everything masked that has the shape of a credential."""
    body = msgspec.structs.replace(entry.event, raw=None)
    raw = None if entry.event.raw is None else _encoded(entry.event.raw)
    kept = raw if raw is not None and len(raw) <= MAX_RAW_BYTES else None
    return session, entry.seq, entry.at, entry.event.kind, _encoded(body), kept


def from_row(seq: int, at: float, body: str, raw: str | None) -> Entry:
    """The entry of a row."""
    event = msgspec.json.decode(body, type=Event)
    if raw is not None:
        event = msgspec.structs.replace(event, raw=msgspec.json.decode(raw))
    return Entry(seq, at, event)


def _encoded(value: Any) -> str:
    plain = msgspec.to_builtins(value, enc_hook=repr, str_keys=True)
    return msgspec.json.encode(_masked(plain)).decode()


def _masked(value: Any) -> Any:
    # before the encoding: afterwards a mask could swallow the backslash of an escape
    if isinstance(value, str):
        return redact(value.encode("utf-8", "replace").decode())
    if isinstance(value, dict):
        return {_masked(key): _masked(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(entry) for entry in value]
    return value
