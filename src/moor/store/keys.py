"""Keys of the stand-alone gateway: shown once, kept as a hash, revoked by id or name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from moor.clock import Clock, SystemClock
from moor.domain.budget import KEY_LEVEL, KEY_NAME, MONEY, SESSION, TOKENS, Cap, tightest
from moor.domain.ids import KEY, new_id
from moor.domain.policy import Policy
from moor.errors.store import KeyNameTakenError, KeyUnknownError
from moor.secrets import Secret, key_hash, new_key
from moor.store.db import opened, transaction
from moor.store.home import Home
from moor.store.rows import cells, fields, from_row, insert_sql

_NESTED: Final = ("policy", "tags")
_LIVE: Final = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)"


class GatewayKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a key."""

    id: str
    name: str = ""
    upstream: str = ""
    """empty: the default upstream at the time of the call"""
    policy: Policy = Policy()
    budget_nano: int | None = None
    budget_tokens: int | None = None
    rpm: int | None = None
    """calls a minute"""
    tpm: int | None = None
    """tokens a minute"""
    expires_at: float | None = None
    tags: dict[str, str] = {}
    """labels of its calls"""
    key_hash: str = ""
    created_at: float = 0.0
    revoked_at: float | None = None


def caps_of(key: GatewayKey, upstream: str = "", policies: Iterable[Cap] = ()) -> tuple[Cap, ...]:
    """What its calls may spend in all. The gateway takes a key for a session that lives as long as the key.

    `policies`: caps that are set elsewhere. Of those for each session, the ones that fit a key of that upstream hold
    for it too, where they are lower than its own; their level says who set them.
    """
    limits = ((MONEY, key.budget_nano), (TOKENS, key.budget_tokens))
    name = f"{KEY_NAME}{key.name or key.id}"
    own = [
        Cap(name=name, per=SESSION, unit=unit, limit=limit, level=KEY_LEVEL, session=key.id)
        for unit, limit in limits
        if limit is not None
    ]
    theirs = [cap for cap in policies if cap.per == SESSION and cap.fits(upstream, key.id, key.tags)]
    return tightest((*own, *(msgspec.structs.replace(cap, name=name, session=key.id) for cap in theirs)))


class KeyStore:
    """Each method opens the database, does its one step and closes it. BLOCKS."""

    def __init__(self, home: Home, clock: Clock | None = None) -> None:
        self._home = home
        self._clock = clock or SystemClock()

    def create(
        self,
        name: str = "",
        upstream: str = "",
        policy: Policy | None = None,
        budget_nano: int | None = None,
        tags: Mapping[str, str] | None = None,
        **limits: float | None,
    ) -> tuple[GatewayKey, Secret]:
        """A new key and its only copy; `limits`: budget_tokens, rpm, tpm, expires_at.

        Raises KeyNameTakenError when an active key has that name.
        """
        secret = new_key()
        now = self._clock.now()
        key = GatewayKey(
            id=new_id(KEY, now),
            name=name,
            upstream=upstream,
            policy=policy or Policy(),
            budget_nano=budget_nano,
            tags=dict(tags or {}),
            key_hash=key_hash(secret.reveal()),
            created_at=now,
        )
        key = msgspec.convert({**fields(key), **limits}, GatewayKey)
        row = cells(fields(key))
        with opened(self._home) as connection, transaction(connection):
            if name and _active(connection, name, now):
                raise KeyNameTakenError(name=name)
            connection.execute(insert_sql("keys", row), row)
        return key, secret

    def active(self) -> list[GatewayKey]:
        """Keys that may be used, newest first."""
        return self._select(f"WHERE {_LIVE}", self._clock.now())

    def revoke(self, id_or_name: str) -> GatewayKey:
        """End a key; returns it. Raises KeyUnknownError when no active key has that id or name."""
        with opened(self._home) as connection, transaction(connection):
            now = self._clock.now()
            found = _active(connection, id_or_name, now)
            if found is None:
                raise KeyUnknownError(name=id_or_name)
            connection.execute("UPDATE keys SET revoked_at = ? WHERE id = ?", (now, found.id))
        return msgspec.structs.replace(found, revoked_at=now)

    def allow(self, key_id: str, limits: Mapping[str, int]) -> None:
        """Other caps by their unit; a running gateway knows them within a second."""
        columns = {MONEY: "budget_nano", TOKENS: "budget_tokens"}
        with opened(self._home) as connection, transaction(connection):
            for unit, limit in limits.items():
                connection.execute(f"UPDATE keys SET {columns[unit]} = ? WHERE id = ?", (limit, key_id))  # noqa: S608 - ours

    def _select(self, where: str, now: float = 0.0) -> list[GatewayKey]:
        sql = f"SELECT * FROM keys {where} ORDER BY created_at DESC, id DESC"  # noqa: S608 - ours
        with opened(self._home) as connection:
            return [from_row(GatewayKey, row, _NESTED) for row in connection.execute(sql, {"now": now})]

    def list(self) -> list[GatewayKey]:
        """All keys, revoked ones included, newest first."""
        return self._select("")


def _active(connection: sqlite3.Connection, id_or_name: str, now: float) -> GatewayKey | None:
    row = connection.execute(
        f"SELECT * FROM keys WHERE {_LIVE} AND (id = :it OR (name = :it AND name <> ''))",  # noqa: S608 - ours
        {"it": id_or_name, "now": now},
    ).fetchone()
    return None if row is None else from_row(GatewayKey, row, _NESTED)
