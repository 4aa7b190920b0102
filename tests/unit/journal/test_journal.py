"""Events are numbered without gaps, kept with the agent's own, and read from any number on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.domain.event import Event
from moor.journal.entry import MAX_RAW_BYTES, Entry, from_row, to_row
from moor.journal.reader import read_events
from moor.journal.writer import Journal
from moor.store.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


@pytest.mark.feature("F12.15")
def test_events_are_read_from_any_number_on(home: Home) -> None:
    journal = Journal(home, "ses_1")
    numbers = [journal.append(Event(kind="status", text=str(n)), at=float(n)) for n in range(1, 201)]
    assert journal.close()
    assert numbers == list(range(1, 201))
    assert [entry.seq for entry in read_events(home, "ses_1", limit=1000)] == numbers
    assert [entry.event.text for entry in read_events(home, "ses_1", after=197)] == ["198", "199", "200"]
    assert [entry.seq for entry in read_events(home, "ses_1", after=10, limit=2)] == [11, 12]
    assert read_events(home, "ses_2") == []


def test_a_journal_that_is_opened_again_goes_on_counting(home: Home) -> None:
    for expected in (1, 2, 3):
        journal = Journal(home, "ses_1")
        assert journal.append(Event(kind="status"), at=1.0) == expected
        assert journal.close()


def test_sessions_count_for_themselves(home: Home) -> None:
    first, second = Journal(home, "a"), Journal(home, "b")
    assert (first.append(Event(kind="x"), 1.0), second.append(Event(kind="x"), 1.0)) == (1, 1)
    assert first.close()
    assert second.close()


def test_no_home_has_no_events(home: Home) -> None:
    assert read_events(home, "ses_1") == []
    assert not home.root.exists()


def test_the_agents_own_event_is_kept(home: Home) -> None:
    event = Event(kind="tool_call", paths=("a",), data={"x": [1, None]}, raw={"type": "t", "n": 1.5})
    journal = Journal(home, "s")
    journal.append(event, at=2.0)
    journal.close()
    assert read_events(home, "s") == [Entry(1, 2.0, event)]


@pytest.mark.feature("F17.5")
def test_no_credential_reaches_the_journal(home: Home) -> None:
    token = "dapi0123456789abcdef0123456789abcdef"
    journal = Journal(home, "s")
    journal.append(Event(kind="x", text=token, data={token: [token]}, raw={"deep": [{"a": f"Bearer {token}"}]}), 1.0)
    journal.close()
    assert all(token.encode() not in path.read_bytes() for path in home.root.iterdir())


def test_a_raw_event_beyond_the_bound_is_left_out_and_its_parsed_form_kept() -> None:
    event = Event(kind="x", text="kept", raw="y" * (MAX_RAW_BYTES + 1))
    *_, body, raw = to_row("s", Entry(1, 1.0, event))
    assert raw is None
    assert from_row(1, 1.0, body, raw).event == Event(kind="x", text="kept")


tricky = st.text(st.characters(categories=["L", "Cs", "Cc", "P"])) | st.sampled_from(
    ['refresh_token=abcd"', "Bearer a\\"]
)
json_like: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tricky, inner, max_size=3),
    max_leaves=6,
)


@given(text=tricky, raw=json_like)
def test_any_event_can_be_written_and_read(text: str, raw: Any) -> None:
    _, seq, at, _, body, kept = to_row("s", Entry(1, 1.0, Event(kind="x", text=text, raw=raw)))
    assert from_row(seq, at, body, kept).event.kind == "x"
