"""Slices of a cap: shared by processes, never given twice, not lost with the process that held them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moor.domain.budget import DAY, MONEY, MONTH, SESSION, TOKENS, Cap, tightest
from moor.domain.call import Call
from moor.domain.ids import CALL, new_id
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.ledger.leases import Ask, Owner, give_back, release_lost, settle, standing, take
from moor.ledger.writer import LedgerWriter
from moor.run import proc
from moor.store.home import Home
from moor.store.sessions import SessionStore

NOW = time.time()
CAP = Cap(name="session", per=SESSION, unit=MONEY, limit=1_000, session="ses_1")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "moor")


@pytest.fixture
def me() -> Owner:
    return Owner(os.getpid(), proc.start_time(os.getpid()) or 0.0)


def spend(
    home: Home, cost: int, *, session: str = "ses_1", draws: tuple[tuple[int, int], ...] = (), **more: object
) -> None:
    writer = LedgerWriter(home)
    at = float(str(more.pop("at", NOW)))
    call = Call(new_id(CALL, at), session, started_at=at, cost_nano=cost, draws=draws, **more)  # type: ignore[arg-type]
    writer.put(call)
    assert writer.close()


def test_a_process_gets_what_it_needs_or_an_eighth_and_nothing_beyond_the_cap(home: Home, me: Owner) -> None:
    first = take(home, CAP, me, Ask(10, 10), NOW)
    assert first.amount == 125
    second = take(home, CAP, me, Ask(500, 500), NOW, first.lease)
    assert (second.amount, second.lease) == (500, first.lease)
    assert second.standing.free == 375
    refused = take(home, CAP, me, Ask(376, 376), NOW, first.lease)
    assert (refused.amount, refused.lease) == (0, 0)
    assert take(home, CAP, me, Ask(5, 10_000), NOW, first.lease).amount == 375


def test_what_a_call_cost_is_spent_once_and_the_rest_comes_back(home: Home, me: Owner) -> None:
    grant = take(home, CAP, me, Ask(400, 400), NOW)
    spend(home, 300, draws=((grant.lease, 300),))
    found = standing(home, CAP, NOW)
    assert (found.spent, found.held, found.lost) == (300, 100, 0)
    give_back(home, grant.lease, 60)
    assert standing(home, CAP, NOW).held == 40
    settle(home, [grant.lease], NOW)
    assert standing(home, CAP, NOW).free == 700


def test_a_call_that_cost_more_than_its_lease_is_counted_whole(home: Home, me: Owner) -> None:
    grant = take(home, CAP, me, Ask(100, 100), NOW)
    spend(home, 900, draws=((grant.lease, 900),))
    found = standing(home, CAP, NOW)
    assert (found.spent, found.held, found.free) == (900, 0, 100)


@pytest.mark.feature("F13.8")
def test_the_lease_of_a_killed_process_goes_on_counting_until_a_person_releases_it(home: Home) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    owner = Owner(child.pid, proc.start_time(child.pid) or 0.0)
    take(home, CAP, owner, Ask(400, 400), NOW)
    assert standing(home, CAP, NOW).held == 400
    child.kill()
    child.wait()
    found = standing(home, CAP, NOW)
    assert (found.held, found.lost, found.free) == (0, 400, 600)
    assert release_lost(home, CAP, NOW) == 400
    assert standing(home, CAP, NOW).free == 1_000


def test_children_count_into_their_parents_session(home: Home, me: Owner) -> None:
    store = SessionStore(home)
    for one, parent in (("ses_1", ""), ("ses_2", "ses_1"), ("ses_3", "ses_2"), ("ses_4", "")):
        store.add(Session(id=one, agent="a", cwd="/", upstream="u", model="m", parent=parent))
    store.close()
    for one in ("ses_1", "ses_2", "ses_3", "ses_4"):
        spend(home, 100, session=one)
    assert standing(home, CAP, NOW).spent == 300
    assert take(home, CAP, me, Ask(701, 701), NOW).amount == 0


def test_periods_upstreams_and_labels_count_only_what_fits_them(home: Home) -> None:
    spend(home, 1, at=NOW - 40 * 86_400, upstream="ws")
    spend(home, 10, upstream="ws", tags={"team": "x"})
    spend(home, 100, upstream="other", tags={"team": "y"})
    spend(home, 1_000, upstream="ws", usage=Usage(input=5, output=7, cache_read=11, cache_write=13))
    counted = {
        "day": Cap(name="d", per=DAY, unit=MONEY, limit=1),
        "month of ws": Cap(name="m", per=MONTH, unit=MONEY, limit=1, upstream="ws"),
        "label": Cap(name="t", per=DAY, unit=MONEY, limit=1, tag="team=x"),
        "tokens": Cap(name="k", per=DAY, unit=TOKENS, limit=1),
    }
    assert {name: standing(home, cap, NOW).spent for name, cap in counted.items()} == {
        "day": 1_110,
        "month of ws": 1_010,
        "label": 10,
        "tokens": 36,
    }


def test_a_new_day_counts_anew(home: Home) -> None:
    cap = Cap(name="d", per=DAY, unit=MONEY, limit=1_000)
    spend(home, 900)
    assert standing(home, cap, NOW).free == 100
    assert standing(home, cap, NOW + 86_400 * 1.5).free == 1_000


def test_calls_of_one_row_around_midnight_count_for_the_day_of_their_ids(home: Home) -> None:
    cap = Cap(name="d", per=DAY, unit=MONEY, limit=1_000)
    midnight = cap.since(NOW)
    tags: dict[str, str] = {}
    writer = LedgerWriter(home)
    for late_s, cost in ((-0.002, 1), (-0.001, 10), (0.0, 100), (0.001, 300)):
        writer.put(Call(new_id(CALL, midnight + late_s), "ses_1", started_at=midnight, tags=tags, cost_nano=cost))
    assert writer.close()
    assert standing(home, cap, NOW).spent == 400
    assert standing(home, cap, midnight - 1).spent == 11
    assert standing(home, CAP, NOW).spent == 411


@pytest.mark.parametrize("per", [DAY, MONTH])
def test_a_period_ends_where_the_next_one_begins(per: str) -> None:
    cap = Cap(name="d", per=per, unit=MONEY, limit=1)
    for month in range(1, 13):
        end = cap.until(time.mktime((2027, month, 28, 23, 59, 59, 0, 0, -1)))
        assert cap.scope(end - 0.5) != cap.scope(end) == cap.scope(end + 0.5)
        assert cap.since(end) == end
        assert cap.scope(end - 0.5) == cap.scope(cap.since(end - 0.5))


@pytest.mark.feature("F13.8")
def test_many_at_once_are_given_no_more_than_the_cap(home: Home, me: Owner) -> None:
    given: list[int] = []

    def work() -> None:
        given.extend(take(home, CAP, me, Ask(70, 70), NOW).amount for _ in range(6))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 930 < sum(given) <= 1_000


def test_the_lowest_cap_of_a_scope_counts(home: Home) -> None:
    wide = Cap(name="user", per=DAY, unit=MONEY, limit=9)
    narrow = Cap(name="administrator", per=DAY, unit=MONEY, limit=5)
    other = Cap(name="tokens", per=DAY, unit=TOKENS, limit=7)
    assert set(tightest([wide, narrow, other])) == {narrow, other}
