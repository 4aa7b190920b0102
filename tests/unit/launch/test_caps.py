"""What a session's calls count into: settings, command line, and the session it is started from."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.budget import DAY, MONEY, SESSION, TOKENS, Cap
from moor.domain.session import Session
from moor.launch.caps import Family, family_of, session_caps
from moor.launch.prepare import Request
from moor.run.sweep import VARIABLE
from moor.store.home import Home
from moor.store.sessions import SessionStore
from moor.store.settings import Loaded, load_settings

CONFIG = """
[policy]
budget_tokens = 9000
[budgets.daily]
usd = 5
[budgets.other]
usd = 1
upstream = "elsewhere"
[budgets.team]
tokens = 7
tag = "team=x"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "moor")
    home.ensure()
    home.config_path.write_text(CONFIG, encoding="utf-8")
    return home


@pytest.fixture
def loaded(home: Home, tmp_path: Path) -> Loaded:
    return load_settings(home, {}, tmp_path)


def add(home: Home, **more: object) -> None:
    store = SessionStore(home)
    given: dict[str, object] = {"id": "ses_p", "agent": "a", "cwd": "/", "upstream": "u", "model": "m", **more}
    store.add(Session(**given))  # type: ignore[arg-type]
    store.close()


def test_a_session_counts_into_what_fits_it(loaded: Loaded) -> None:
    request = Request(agent="a", upstream="ws", budget_tokens=500, tags={"team": "y"})
    caps = session_caps(loaded, request, "ses_1", Family(), {"ws"})
    assert {(cap.name, cap.unit, cap.limit, cap.session) for cap in caps} == {
        (SESSION, TOKENS, 9_000, "ses_1"),
        (SESSION, TOKENS, 500, "ses_1"),
        ("daily", MONEY, 5 * 10**9, ""),
    }
    request = Request(agent="a", upstream="elsewhere", tags={"team": "x"})
    tagged = session_caps(loaded, request, "ses_1", Family(), {"elsewhere"})
    assert {cap.name for cap in tagged} == {SESSION, "daily", "other", "team"}
    either = session_caps(loaded, Request(agent="a", upstream="ws"), "ses_1", Family(), {"ws", "elsewhere"})
    assert {cap.name for cap in either} == {SESSION, "daily", "other"}


@pytest.mark.feature("F13.9")
def test_what_is_started_inside_a_session_counts_into_it_and_into_all_above(home: Home, loaded: Loaded) -> None:
    grand = Cap(name=SESSION, per=SESSION, unit=MONEY, limit=9, session="ses_g")
    add(home, budget_nano=5, caps=(grand, Cap(name="d", per=DAY, unit=MONEY, limit=1)))
    family = family_of(home, {VARIABLE: "ses_p"})
    assert family.parent == "ses_p"
    assert {(cap.session, cap.limit) for cap in family.caps} == {("ses_p", 5), ("ses_g", 9)}
    caps = session_caps(loaded, Request(agent="a", upstream="ws"), "ses_1", family, {"ws"})
    assert {"ses_p", "ses_g", "ses_1"} <= {cap.session for cap in caps}


@pytest.mark.feature("F13.9")
def test_the_labels_of_a_session_hold_for_what_is_started_inside_it(home: Home, loaded: Loaded) -> None:
    add(home, tags={"team": "x"})
    family = family_of(home, {VARIABLE: "ses_p"})
    assert family.tags == {"team": "x"}
    request = Request(agent="a", upstream="ws", tags={"team": "y", "run": "1"})
    assert "team" in {cap.name for cap in session_caps(loaded, request, "ses_1", family, {"ws"})}


def test_an_ended_or_made_up_session_is_no_parent(home: Home) -> None:
    add(home, ended_at=1.0)
    assert family_of(home, {VARIABLE: "ses_p"}) == Family()
    assert family_of(home, {VARIABLE: "ses_made_up"}) == Family()
    assert family_of(home, {}) == Family()
