"""`moor budget` as a user types it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from moor.domain.budget import DAY, MONEY, SESSION, TOKENS, Cap
from moor.domain.models import NANO
from moor.domain.session import Session
from moor.ledger.leases import Ask, Owner, standing, take
from moor.run import proc
from moor.store.home import Home
from moor.store.keys import KeyStore
from moor.store.sessions import SessionStore
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]
TOKEN_CAP = Cap(name=SESSION, per=SESSION, unit=TOKENS, limit=5_000, session="ses_1")


@pytest.fixture
def home(moor_home: MoorHome) -> Home:
    return Home(moor_home.root)


def add_session(home: Home, **more: object) -> Session:
    me = os.getpid()
    given: dict[str, object] = {
        "id": "ses_1",
        "agent": "opencode",
        "cwd": "/",
        "upstream": "ws",
        "model": "m",
        "pid": me,
        "pid_start": proc.start_time(me) or 0.0,
        "gateway_pid": me,
        "gateway_start": proc.start_time(me) or 0.0,
        "created_at": time.time(),
        "budget_nano": NANO,
        "caps": (TOKEN_CAP,),
        **more,
    }
    session = Session(**given)  # type: ignore[arg-type]
    store = SessionStore(home)
    store.add(session)
    store.close()
    return session


def stored(home: Home) -> Session:
    store = SessionStore(home)
    found = store.get("ses_1")
    store.close()
    assert found is not None
    return found


def test_without_a_cap_it_says_how_to_set_one(run_moor: Run) -> None:
    done = run_moor("budget", "show")
    assert (done.code, done.stdout) == (0, "")
    assert "--budget-usd" in done.stderr


@pytest.mark.feature("F13.8")
def test_caps_are_shown_with_what_is_left(run_moor: Run, home: Home) -> None:
    add_session(home)
    run_moor("config", "set", "budgets.daily.usd", "20")
    me = Owner(os.getpid(), proc.start_time(os.getpid()) or 0.0)
    cap = Cap(name="daily", per=DAY, unit=MONEY, limit=20 * NANO)
    take(home, cap, me, Ask(NANO, 5 * NANO), time.time())
    rows = {(row["name"], row["unit"]): row for row in run_moor("budget", "show", "--json").last_json}
    assert rows["daily", "usd"]["held"] == 5.0
    assert rows["daily", "usd"]["left"] == 15.0
    assert rows["session", "usd"]["session"] == "ses_1"
    assert rows["session", "tokens"]["limit"] == 5_000
    text = run_moor("budget", "show").stdout
    assert "$20 " in text
    assert "5000 tokens" in text


@pytest.mark.feature("F13.8")
def test_raising_a_sessions_cap_changes_what_its_gateway_reads(run_moor: Run, home: Home) -> None:
    add_session(home)
    assert run_moor("budget", "raise", "session", "--usd", "2", "--tokens", "9k").code == 0
    after = stored(home)
    assert after.budget_nano == 2 * NANO
    assert after.caps[0].limit == 9_000


def test_raising_a_budget_of_the_config_changes_it_and_the_running_sessions(run_moor: Run, home: Home) -> None:
    run_moor("config", "set", "budgets.daily.usd", "1")
    add_session(home, caps=(Cap(name="daily", per=DAY, unit=MONEY, limit=NANO, level="user"),), budget_nano=None)
    assert run_moor("budget", "raise", "daily", "--usd", "3").code == 0
    assert "usd = 3.0" in home.config_path.read_text("utf-8")
    assert stored(home).caps[0].limit == 3 * NANO


def test_two_sessions_need_a_name(run_moor: Run, home: Home) -> None:
    add_session(home)
    add_session(home, id="ses_2", caps=())
    done = run_moor("budget", "raise", "session", "--usd", "2")
    assert done.code == 2
    assert "--session ID" in done.stderr
    assert run_moor("budget", "raise", "session", "--usd", "2", "--session", "ses_1").code == 0


def test_an_administrators_cap_is_not_raised(run_moor: Run, home: Home) -> None:
    cap = Cap(name="all", per=DAY, unit=MONEY, limit=NANO, level="administrator")
    add_session(home, caps=(cap,))
    done = run_moor("budget", "raise", "all", "--usd", "2")
    assert done.code == 2
    assert "administrator" in done.stderr
    assert stored(home).caps == (cap,)


def test_a_key_is_capped_by_the_config_too_and_the_way_to_more_is_told(run_moor: Run, home: Home) -> None:
    KeyStore(home).create("ide", budget_nano=5 * NANO, budget_tokens=900)
    assert run_moor("config", "set", "policy.budget_usd", "2").code == 0
    caps = {row["unit"]: row for row in run_moor("budget", "show", "--json").last_json}
    assert (caps["usd"]["name"], caps["usd"]["per"], caps["usd"]["limit"]) == ("key:ide", "key", 2.0)
    assert (caps["usd"]["level"], caps["tokens"]["level"]) == ("user", "key")
    done = run_moor("budget", "raise", "key:ide", "--usd", "9")
    assert done.code == 2
    assert "your config allows no session more than the cap key:ide" in done.stderr
    assert f"change it in {home.config_path}, then start the gateway again" in done.stderr
    assert run_moor("budget", "raise", "key:ide", "--tokens", "1000").code == 0
    assert run_moor("config", "set", "policy.budget_usd", "8").code == 0
    raised = run_moor("budget", "raise", "key:ide", "--usd", "9")
    assert raised.code == 0
    assert "but a policy (user) allows each session and each key $8, and that holds" in raised.stderr
    assert KeyStore(home).active()[0].budget_nano == 9 * NANO


def test_what_killed_processes_hold_is_freed_on_a_persons_word(run_moor: Run, home: Home) -> None:
    add_session(home, budget_nano=None)
    take(home, TOKEN_CAP, Owner(2**22 + 5, 1.0), Ask(1_000, 1_000), time.time())
    assert "release" in run_moor("budget", "show").stderr
    assert "1000 tokens freed" in run_moor("budget", "raise", "session", "--release").stderr
    assert standing(home, TOKEN_CAP, time.time()).free == 5_000


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("raise", "session"), "nothing to change"),
        (("raise", "other", "--usd", "3"), "no cap named other"),
        (("show", "--session", "ses_none"), "no session ses_none"),
    ],
)
def test_wrong_words_are_told(run_moor: Run, args: tuple[str, ...], words: str) -> None:
    done = run_moor("budget", *args)
    assert done.code == 2
    assert words in done.stderr


@pytest.mark.parametrize("args", [("--budget-tokens", "many"), ("--budget-tokens", "infk"), ("--budget-usd", "five")])
def test_amounts_that_are_none_are_told_with_the_form(run_moor: Run, args: tuple[str, str]) -> None:
    done = run_moor(*args, "run", "hello")
    assert done.code == 2
    assert "is no number" in done.stderr
    assert "write" in done.stderr
