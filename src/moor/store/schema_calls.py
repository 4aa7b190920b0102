"""Form 1.3 of the ledger: calls that have all but their numbers in common are one row (design, decision 5).

A busy gateway's calls differ in a dozen numbers only, and a row's cost is that of its columns: 256 calls in one row
cost less than a third of 256 rows. Reports add up the sums of the rows; the view `calls` shows each call by itself.
"""

from __future__ import annotations

from typing import Final

SHARED: Final = (
    *("session", "agent", "agent_session", "parent_session", "upstream", "dialect", "model", "asked", "status"),
    *("outcome", "error", "attempts", "stream", "estimated", "price_source", "price_date", "rules", "tags"),
    "tries",
)
"""what all calls of a group have in common"""
SUMMED: Final = ("input", "output", "cache_read", "cache_write", "reasoning", "cache_write_1h", "cost_nano")
"""columns of a group that hold sums over its calls; `cost_nano` over those with a known price"""
OWN: Final = ("id", "started_at", "first_byte_ms", "duration_ms", "request_bytes", "response_bytes", *SUMMED)
"""in the order of the lists in `call_groups.own`, one list a call"""
GROUP: Final = ("id", "first_id", *SHARED, "started_at", "last_at", "calls", "unpriced", *SUMMED, "own")
"""`id` and `first_id`: the greatest and the least id of its calls; `started_at` and `last_at`: when the first and the
last one began, which lie in one quarter of an hour, so that a group is never of two days of any time zone"""
QUARTER_S: Final = 900.0

_TABLE: Final = """
CREATE TABLE call_groups (
    id TEXT PRIMARY KEY, first_id TEXT NOT NULL, session TEXT NOT NULL, agent TEXT NOT NULL,
    agent_session TEXT NOT NULL, parent_session TEXT NOT NULL, upstream TEXT NOT NULL, dialect TEXT NOT NULL,
    model TEXT NOT NULL, asked TEXT NOT NULL, status INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL,
    attempts INTEGER NOT NULL, stream INTEGER NOT NULL, estimated INTEGER NOT NULL, price_source TEXT NOT NULL,
    price_date TEXT NOT NULL, rules TEXT NOT NULL, tags TEXT NOT NULL, tries TEXT NOT NULL,
    started_at REAL NOT NULL, last_at REAL NOT NULL, calls INTEGER NOT NULL, unpriced INTEGER NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
    reasoning INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cost_nano INTEGER, own TEXT NOT NULL
)
"""
_MAY_LACK: Final = {"asked": "''", "tries": "'[]'", "cache_write_1h": "0"}
"""columns that a moor of an older form does not write"""


def _one(row: str) -> str:
    """The values of a group of one, out of a row of that name."""
    have = {name: f"{row}.{name}" for name in (*SHARED, *OWN)}
    have |= {name: f"COALESCE({row}.{name}, {instead})" for name, instead in _MAY_LACK.items()}
    unpriced = f"{row}.cost_nano IS NULL AND {row}.input + {row}.output + {row}.cache_read + {row}.cache_write > 0"
    started = have["started_at"]
    values = (have["id"], have["id"], *(have[name] for name in SHARED), started, started, "1", unpriced)
    own = f"json_array(json_array({', '.join([have[name] for name in OWN])}))"
    return ", ".join((*values, *(have[name] for name in SUMMED), own))


_COLUMNS: Final = ", ".join(GROUP)
_VIEW: Final = f"""
CREATE VIEW calls AS
SELECT {", ".join(f"json_extract(each.value, '$[{place}]') AS {name}" for place, name in enumerate(OWN))},
    {", ".join(SHARED)}, call_groups.id AS group_id
FROM call_groups, json_each(call_groups.own) AS each
"""  # noqa: S608 - names of ours

STATEMENTS: Final = (
    _TABLE,
    "CREATE INDEX call_groups_by_session ON call_groups (session, id)",
    f"INSERT INTO call_groups ({_COLUMNS}) SELECT {_one('calls')} FROM calls",  # noqa: S608 - names of ours
    "DROP TABLE calls",
    _VIEW,
    # a gateway of form 1.2 that was running when the form changed goes on writing
    f"CREATE TRIGGER calls_insert INSTEAD OF INSERT ON calls BEGIN INSERT OR IGNORE INTO call_groups ({_COLUMNS}) "  # noqa: S608
    f"VALUES ({_one('NEW')}); END",
    "CREATE TRIGGER calls_tries INSTEAD OF UPDATE OF tries ON calls BEGIN "
    "UPDATE call_groups SET tries = NEW.tries WHERE id = OLD.id AND calls = 1; END",
    "CREATE TRIGGER calls_hours INSTEAD OF UPDATE OF cache_write_1h ON calls BEGIN "  # noqa: S608 - names of ours
    "UPDATE call_groups SET cache_write_1h = NEW.cache_write_1h, "
    f"own = json_set(own, '$[0][{OWN.index('cache_write_1h')}]', NEW.cache_write_1h) "
    "WHERE id = OLD.id AND calls = 1; END",
)
