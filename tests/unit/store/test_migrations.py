"""A database of an older moor is lifted with everything in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from moor.domain.budget import MONEY, SESSION, Cap
from moor.ledger.calls import calls
from moor.ledger.leases import standing
from moor.ledger.report import totals
from moor.store.home import Home
from moor.store.keys import KeyStore
from moor.store.schema import CURRENT, MIGRATIONS
from moor.store.sessions import SessionStore

OLD_SESSION = (
    "INSERT INTO sessions VALUES ('ses_1','opencode','/x','ws','m','s','terminal','','{\"layers\":[]}',5,'{}','h',"
    "'{}','t','idle',1,1.0,2,2.0,'http://127.0.0.1:1',3.0,4.0,'')"
)
OLD_KEY = "INSERT INTO keys VALUES ('key_1','ide','ws','{\"layers\":[]}',7,'hash',1.0,NULL)"
OLD_CALL = (
    "INSERT INTO calls VALUES ('call_1','ses_1','opencode','','','ws','openai-chat','m',3.5,10,20,200,'ok',1,1,"
    "100,200,0,0,0,0,300,'table','2026','[\"store-and-strict\"]','',10,20,'{}')"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """As the first moor left it."""
    home = Home(tmp_path / "moor")
    home.ensure()
    first = MIGRATIONS[0]
    connection = sqlite3.connect(home.db_path)
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
    for statement in (*first.statements, OLD_SESSION, OLD_KEY, OLD_CALL):
        connection.execute(statement)
    versions = [("major", str(first.version.major)), ("minor", str(first.version.minor))]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", versions)
    connection.commit()
    connection.close()
    home.db_path.chmod(0o600)
    return home


def test_sessions_keys_and_calls_of_the_first_form_are_read_as_they_were(home: Home) -> None:
    assert MIGRATIONS[0].version < CURRENT
    store = SessionStore(home)
    session = store.get("ses_1")
    store.close()
    assert session is not None
    assert (session.budget_nano, session.caps, session.fallback, session.user) == (5, (), (), "")
    (key,) = KeyStore(home).active()
    assert (key.budget_nano, key.rpm, key.expires_at, key.tags) == (7, None, None, {})
    (call,) = calls(home)
    assert (call.rules, call.tries, call.asked, call.usage.total) == (("store-and-strict",), (), "", 300)
    assert totals(home).cost_nano == 300
    cap = Cap(name=SESSION, per=SESSION, unit=MONEY, limit=1_000, session="ses_1")
    assert standing(home, cap, 100.0).free == 700


OLD_BATCH = (
    "INSERT OR IGNORE INTO calls (session, agent, agent_session, parent_session, upstream, dialect, model, asked, "
    "status, outcome, error, attempts, stream, estimated, price_source, price_date, rules, tags, id, started_at, "
    "first_byte_ms, duration_ms, request_bytes, response_bytes, input, output, cache_read, cache_write, reasoning, "
    "cost_nano) VALUES (?1, 'opencode', '', '', 'ws', 'd', 'm', '', 200, 'ok', '', 2, 1, 0, '', '', '[]', '{}', ?2, "
    "4.5, 1, 2, 3, 4, 10, 20, 0, 7, 0, 500), (?1, 'opencode', '', '', 'ws', 'd', 'm', '', 200, 'ok', '', 1, 1, 0, "
    "'', '', '[]', '{}', ?3, 4.5, 1, 2, 3, 4, 10, 20, 0, 0, 0, NULL)"
)
"""as a gateway of form 1.2 writes two calls"""


def test_a_gateway_that_was_running_while_the_form_changed_goes_on_writing(home: Home) -> None:
    running = sqlite3.connect(home.db_path, isolation_level=None)
    assert totals(home).calls == 1
    with running:
        running.execute("BEGIN IMMEDIATE")
        for _ in range(2):  # a batch that is tried again
            running.execute(OLD_BATCH, ("ses_1", "call_2", "call_3"))
        running.execute("UPDATE calls SET tries = ? WHERE id = ?", ('[["m","ws",503,4,"upstream-503"]]', "call_2"))
        running.execute("UPDATE calls SET cache_write_1h = ? WHERE id = ?", (6, "call_2"))
    running.close()
    whole = totals(home)
    assert (whole.calls, whole.unpriced, whole.whole.cost_nano) == (3, 1, 800)
    newest, second, _ = calls(home)
    assert (newest.id, newest.tries, newest.cost_nano) == ("call_3", (), None)
    assert (second.id, second.usage.cache_write_1h, second.attempts) == ("call_2", 6, 2)
    assert [(a.model, a.status) for a in second.tries] == [("m", 503)]
