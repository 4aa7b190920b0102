"""The form of `moor.db`: one list of migrations, a version, and who may read or write which.

A migration that only adds raises the minor number; one that older readers would misread raises the major
one. Readers work one minor ahead; writers refuse (design, decision 11).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from moor.store.schema_calls import STATEMENTS as CALL_GROUPS


class Version(NamedTuple):
    """Form of a database."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Migration(NamedTuple):
    """Statements that lift a database to `version`."""

    version: Version
    statements: tuple[str, ...]


_SESSIONS = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, agent TEXT NOT NULL, cwd TEXT NOT NULL, upstream TEXT NOT NULL, model TEXT NOT NULL,
    small_model TEXT NOT NULL, seen TEXT NOT NULL, parent TEXT NOT NULL, policy TEXT NOT NULL,
    budget_nano INTEGER, traits TEXT NOT NULL, key_hash TEXT NOT NULL, tags TEXT NOT NULL, title TEXT NOT NULL,
    status TEXT NOT NULL, pid INTEGER NOT NULL, pid_start REAL NOT NULL, gateway_pid INTEGER NOT NULL,
    gateway_start REAL NOT NULL, gateway_url TEXT NOT NULL, created_at REAL NOT NULL, ended_at REAL,
    outcome TEXT NOT NULL
) WITHOUT ROWID
"""
_KEYS = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, upstream TEXT NOT NULL, policy TEXT NOT NULL, budget_nano INTEGER,
    key_hash TEXT NOT NULL, created_at REAL NOT NULL, revoked_at REAL
) WITHOUT ROWID
"""
_CALLS = """
CREATE TABLE calls (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, agent TEXT NOT NULL, agent_session TEXT NOT NULL,
    parent_session TEXT NOT NULL, upstream TEXT NOT NULL, dialect TEXT NOT NULL, model TEXT NOT NULL,
    started_at REAL NOT NULL, first_byte_ms INTEGER, duration_ms INTEGER NOT NULL, status INTEGER NOT NULL,
    outcome TEXT NOT NULL, attempts INTEGER NOT NULL, stream INTEGER NOT NULL, input INTEGER NOT NULL,
    output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL, estimated INTEGER NOT NULL, cost_nano INTEGER, price_source TEXT NOT NULL,
    price_date TEXT NOT NULL, rules TEXT NOT NULL, error TEXT NOT NULL, request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL, tags TEXT NOT NULL
)
"""
_LEASES = """
CREATE TABLE leases (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, owner_pid INTEGER NOT NULL, owner_start REAL NOT NULL,
    taken_nano INTEGER NOT NULL, spent_nano INTEGER NOT NULL DEFAULT 0, taken_at REAL NOT NULL, settled_at REAL
)
"""
_LEASES_BY_UNIT = """
CREATE TABLE leases (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, unit TEXT NOT NULL, owner_pid INTEGER NOT NULL,
    owner_start REAL NOT NULL, taken INTEGER NOT NULL, spent INTEGER NOT NULL, taken_at REAL NOT NULL,
    settled_at REAL
)
"""
_EVENTS = """
CREATE TABLE events (
    session TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    raw TEXT, PRIMARY KEY (session, seq)
) WITHOUT ROWID
"""
_TRUST = """
CREATE TABLE trust (
    repo_root TEXT PRIMARY KEY, digest TEXT NOT NULL, trusted_at REAL NOT NULL
) WITHOUT ROWID
"""

MIGRATIONS: Final = (
    Migration(
        Version(1, 0),
        (
            _SESSIONS,
            _KEYS,
            _CALLS,
            _LEASES,
            _EVENTS,
            _TRUST,
            "CREATE INDEX sessions_by_time ON sessions (created_at)",
            "CREATE INDEX sessions_active ON sessions (created_at) WHERE ended_at IS NULL",
            "CREATE INDEX sessions_by_key ON sessions (key_hash) WHERE key_hash <> ''",
            "CREATE UNIQUE INDEX keys_by_hash ON keys (key_hash)",
            "CREATE INDEX calls_by_session ON calls (session, started_at)",
            "CREATE INDEX leases_open ON leases (scope) WHERE settled_at IS NULL",
        ),
    ),
    Migration(
        Version(1, 1),
        (
            # no moor of form 1.0 wrote or read it
            "DROP TABLE leases",
            _LEASES_BY_UNIT,
            "CREATE INDEX leases_open ON leases (scope) WHERE settled_at IS NULL",
            "ALTER TABLE sessions ADD COLUMN caps TEXT NOT NULL DEFAULT '[]'",
            "ALTER TABLE sessions ADD COLUMN watch TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE sessions ADD COLUMN warning TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE sessions ADD COLUMN user TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE sessions ADD COLUMN repository TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE sessions ADD COLUMN branch TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX sessions_by_parent ON sessions (parent) WHERE parent <> ''",
            "ALTER TABLE keys ADD COLUMN budget_tokens INTEGER",
            "ALTER TABLE keys ADD COLUMN rpm INTEGER",
            "ALTER TABLE keys ADD COLUMN tpm INTEGER",
            "ALTER TABLE keys ADD COLUMN expires_at REAL",
            # the model the agent asked for, where a rule of its traits put another in its place
            "ALTER TABLE calls ADD COLUMN asked TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE calls ADD COLUMN tries TEXT NOT NULL DEFAULT '[]'",
            "ALTER TABLE sessions ADD COLUMN fallback TEXT NOT NULL DEFAULT '[]'",
        ),
    ),
    Migration(
        Version(1, 2),
        (
            # of cache_write: what is kept for an hour, which costs more
            "ALTER TABLE calls ADD COLUMN cache_write_1h INTEGER NOT NULL DEFAULT 0",
        ),
    ),
    Migration(Version(1, 3), CALL_GROUPS),
    Migration(Version(1, 4), ("ALTER TABLE keys ADD COLUMN tags TEXT NOT NULL DEFAULT '{}'",)),
)

CURRENT: Final = MIGRATIONS[-1].version
NOTHING: Final = Version(0, 0)


def may_read(found: Version, known: Version = CURRENT) -> bool:
    """Same major number, at most one minor ahead."""
    return found <= known or (found.major == known.major and found.minor <= known.minor + 1)


def may_write(found: Version, known: Version = CURRENT) -> bool:
    """Never ahead of what this moor knows."""
    return found <= known


def missing(found: Version) -> tuple[Migration, ...]:
    """The migrations that lift a database of that version to the current one, in order."""
    return tuple(migration for migration in MIGRATIONS if migration.version > found)
