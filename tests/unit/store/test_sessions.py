"""Sessions go into the database and come back as they were; a second process sees them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moor.domain.policy import Policy, PolicyLayer
from moor.domain.session import ENDED, WORKING, AgentTraits, Session
from moor.errors import BugError
from moor.store.home import Home
from moor.store.rows import cells, fields, from_row
from moor.store.sessions import SessionStore
from tests.support.fuzz import examples


@pytest.fixture
def store(tmp_path: Path):
    store = SessionStore(Home(tmp_path / "m"))
    yield store
    store.close()


def session(number: int = 1, **more: object) -> Session:
    values = {"id": f"ses_{number}", "agent": "a", "cwd": "/w", "upstream": "u", "model": "m", "created_at": number}
    return Session(**{**values, **more})


FULL = session(
    policy=Policy((PolicyLayer("user", ("a*",), ("b",)), PolicyLayer("session", deny=("c",)))),
    budget_nano=5_000_000_000,
    traits=AgentTraits(user_agent="x/1", fatal_status={"sign-in": 401}),
    key_hash="ab" * 32,
    tags={"team": "Ärzte"},
    pid=7,
    pid_start=123.5,
    ended_at=None,
)


def test_a_session_comes_back_as_it_was(store: SessionStore) -> None:
    store.add(FULL)
    assert store.get(FULL.id) == FULL
    assert store.all() == [FULL]
    assert store.get("ses_other") is None


text = st.text(st.characters(codec="utf-8"))
sessions = st.builds(
    Session,
    **dict.fromkeys(("id", "agent", "cwd", "upstream", "model", "small_model", "title", "outcome"), text),
    tags=st.dictionaries(text, text),
    budget_nano=st.none() | st.integers(0, 2**53 - 1),
    created_at=st.floats(0, 1e12),
    ended_at=st.none() | st.floats(0, 1e12),
    policy=st.builds(
        Policy, st.lists(st.builds(PolicyLayer, text, st.tuples(text), st.tuples(text, text)), max_size=3).map(tuple)
    ),
)


@settings(max_examples=examples(50))
@given(sessions)
def test_any_session_fits_a_row(one: Session) -> None:
    class Row(dict[str, object]):
        """Answers to the two things that are asked of a row."""

        def keys(self) -> list[str]:  # type: ignore[override]
            """A list, as sqlite3 has it."""
            return list(super().keys())

    assert (
        from_row(Session, Row(cells(fields(one))), ("policy", "caps", "fallback", "watch", "traits", "tags")) == one
    )  # type: ignore[arg-type]


def test_an_update_changes_its_fields_and_no_other(store: SessionStore) -> None:
    store.add(FULL)
    assert store.update(FULL.id, status=WORKING, gateway_pid=9, policy=Policy())
    found = store.get(FULL.id)
    assert found is not None
    assert (found.status, found.gateway_pid, found.policy) == (WORKING, 9, Policy())
    assert (found.traits, found.tags, found.key_hash) == (FULL.traits, FULL.tags, FULL.key_hash)


def test_an_update_of_a_session_that_is_not_there_says_so(store: SessionStore) -> None:
    assert not store.update("ses_none", status=WORKING)


@pytest.mark.parametrize("changes", [{"id; DROP TABLE sessions": 1}, {"colour": "red"}, {}])
def test_an_update_of_no_field_is_a_bug(store: SessionStore, changes: dict[str, object]) -> None:
    store.add(FULL)
    with pytest.raises(BugError):
        store.update(FULL.id, **changes)


def test_sessions_are_listed_newest_first_and_ended_ones_left_out_on_wish(store: SessionStore) -> None:
    for number in range(1, 5):
        store.add(session(number))
    store.update("ses_3", status=ENDED, ended_at=9.0)
    assert [one.id for one in store.all()] == ["ses_4", "ses_3", "ses_2", "ses_1"]
    assert [one.id for one in store.all(active=True)] == ["ses_4", "ses_2", "ses_1"]
    assert [one.id for one in store.all(limit=2)] == ["ses_4", "ses_3"]


def test_a_key_finds_its_session_until_the_session_ends(store: SessionStore) -> None:
    store.add(FULL)
    store.add(session(2))
    assert store.by_key_hash(FULL.key_hash) == FULL
    assert store.by_key_hash("cd" * 32) is None
    assert store.by_key_hash("") is None, "no key is not the key of a session without one"
    store.update(FULL.id, ended_at=1.0)
    assert store.by_key_hash(FULL.key_hash) is None


def test_another_process_sees_a_session_at_once(store: SessionStore, tmp_path: Path) -> None:
    store.add(FULL)
    script = (
        "import sys\nfrom pathlib import Path\nfrom moor.store.home import Home\n"
        "from moor.store.sessions import SessionStore\n"
        "s = SessionStore(Home(Path(sys.argv[1])))\nprint(s.get('ses_1').pid)\ns.update('ses_1', pid=8)\ns.close()"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "m"], capture_output=True, check=True)
    assert done.stdout == b"7\n"
    found = store.get("ses_1")
    assert found is not None
    assert found.pid == 8


def test_threads_share_a_store(store: SessionStore) -> None:
    threads = [threading.Thread(target=store.add, args=(session(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.all()) == 20


def test_a_closed_store_opens_again_when_asked(store: SessionStore) -> None:
    store.add(FULL)
    store.close()
    store.close()
    assert store.get(FULL.id) == FULL
