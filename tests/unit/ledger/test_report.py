"""Sums equal the ledger, in any grouping, to the last nano-dollar."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moor.domain.call import CANCELLED, ERROR, OK, OUTCOMES, REFUSED, Call
from moor.domain.session import Session
from moor.domain.usage import Usage
from moor.ledger.report import (
    AGENT,
    DAY,
    DIMENSIONS,
    MODEL,
    SESSION,
    UsageRow,
    session_rows,
    totals,
    usage_rows,
    usd_text,
)
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.fuzz import examples


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


def write(home: Home, *calls: Call) -> None:
    writer = LedgerWriter(home)
    for call in calls:
        writer.put(call)
    assert writer.close()


def test_before_the_first_call_there_is_nothing_and_nothing_is_created(home: Home) -> None:
    assert usage_rows(home) == []
    assert totals(home) == UsageRow()
    assert session_rows(home, ["s"]) == {}
    assert not home.root.exists()


TAGS: dict[str, str] = {"team": "x"}
"""one object, as all calls of a session have it: they become one row"""
tokens = st.integers(0, 10**7)
calls = st.builds(
    Call,
    id=st.uuids().map(str),
    session=st.sampled_from(["s1", "s2", "s3"]),
    agent=st.sampled_from(["one", "two", ""]),
    model=st.sampled_from(["m", "n"]),
    started_at=st.floats(1_790_000_000, 1_790_600_000) | st.floats(1_790_294_000, 1_790_296_000),
    outcome=st.sampled_from(OUTCOMES),
    usage=st.builds(Usage, tokens, tokens, tokens, tokens, tokens),
    estimated=st.booleans(),
    cost_nano=st.none() | st.integers(0, 10**12),
    tags=st.sampled_from([TAGS, {}]),
)
GROUPINGS = [by for size in range(5) for by in itertools.combinations(DIMENSIONS, size)]


@pytest.mark.feature("F8.6")
@settings(max_examples=examples(25))
@given(st.lists(calls, max_size=40, unique_by=lambda call: call.id))
def test_any_grouping_adds_up_to_the_ledger(tmp_path_factory: pytest.TempPathFactory, rows: list[Call]) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    write(home, *rows)
    whole = totals(home)
    assert whole.calls == len(rows)
    assert whole.usage == sum((call.usage for call in rows), Usage())
    assert whole.whole.cost_nano == sum(call.cost_nano or 0 for call in rows)
    assert whole.failed == sum(call.outcome not in (OK, CANCELLED) for call in rows)
    assert whole.estimated.calls == sum(call.estimated for call in rows)
    assert whole.unpriced == sum(call.cost_nano is None and call.usage.total > 0 for call in rows)
    for by in GROUPINGS:
        found = usage_rows(home, by)
        assert sum((row.usage for row in found), Usage()) == whole.usage
        assert sum(row.calls for row in found) == whole.calls
        assert sum(row.failed for row in found) == whole.failed
        assert sum(row.unpriced for row in found) == whole.unpriced
        assert sum(row.whole.cost_nano for row in found) == whole.whole.cost_nano
        assert sum(row.estimated.cost_nano for row in found) == whole.estimated.cost_nano
        keys = [tuple(row.by[name] for name in by) for row in found]
        assert keys == sorted(set(keys))
    for since in sorted(call.started_at for call in rows)[::7]:
        late = [call for call in rows if call.started_at >= since]
        found = usage_rows(home, (DAY, MODEL), since)
        assert sum(row.calls for row in found) == len(late)
        assert sum((row.usage for row in found), Usage()) == sum((call.usage for call in late), Usage())
        unpriced = sum(call.cost_nano is None and call.usage.total > 0 for call in late)
        assert sum(row.unpriced for row in found) == unpriced


def test_a_row_names_the_dimensions_that_were_asked_for_and_no_other(home: Home) -> None:
    write(home, Call(id="a", session="s", agent="one", model="m"))
    (row,) = usage_rows(home, (MODEL,))
    assert (row.by, row.session) == ({MODEL: "m"}, "")


def test_a_call_without_a_price_makes_the_cost_unknown_and_not_zero(home: Home) -> None:
    write(
        home,
        Call(id="a", session="s", model="m", cost_nano=5, usage=Usage(input=1)),
        Call(id="b", session="s", model="m", cost_nano=None, usage=Usage(input=1)),
        Call(id="c", session="s", model="n", cost_nano=None, outcome=REFUSED),
    )
    rows = {row.by[MODEL]: row for row in usage_rows(home, (MODEL,))}
    assert (rows["m"].cost_nano, rows["m"].unpriced, rows["m"].whole.cost_nano) == (None, 1, 5)
    assert (rows["n"].cost_nano, rows["n"].unpriced) == (0, 0), "a refused call used nothing and cost nothing"


def test_estimated_calls_are_in_the_sum_and_stand_apart(home: Home) -> None:
    write(
        home,
        Call(id="a", session="s", cost_nano=5, usage=Usage(input=10)),
        Call(id="b", session="s", cost_nano=2, usage=Usage(input=3), estimated=True),
    )
    whole = totals(home)
    assert (whole.cost_nano, whole.final.cost_nano, whole.estimated.cost_nano) == (7, 5, 2)
    assert (whole.usage.input, whole.estimated.usage.input, whole.estimated.calls) == (13, 3, 1)


def test_failed_calls_are_those_that_neither_ended_well_nor_were_left_by_the_agent(home: Home) -> None:
    outcomes = (OK, CANCELLED, ERROR, REFUSED)
    write(home, *(Call(id=outcome, session="s", outcome=outcome) for outcome in outcomes))
    assert totals(home).failed == 2


def test_one_session_the_newest_one_or_a_span_can_be_asked_for(home: Home) -> None:
    store = SessionStore(home)
    for number in (1, 2):
        store.add(Session(id=f"s{number}", agent="a", cwd="/", upstream="u", model="m", created_at=number))
    store.close()
    write(home, Call(id="a", session="s1", started_at=100.0), Call(id="b", session="s2", started_at=50.0))
    assert [row.session for row in usage_rows(home, (SESSION,), session="s1")] == ["s1"]
    assert [row.session for row in usage_rows(home, (SESSION,), last=True)] == ["s2"]
    assert [row.session for row in usage_rows(home, (SESSION,), since=60.0)] == ["s1"]
    assert usage_rows(home, session="none") == []
    assert set(session_rows(home, ["s1", "s3"])) == {"s1"}


def test_the_newest_session_without_calls_has_none_rather_than_another_ones(home: Home) -> None:
    write(home, Call(id="a", session="s1", started_at=100.0))
    store = SessionStore(home)
    store.add(Session(id="s2", agent="a", cwd="/", upstream="u", model="m", created_at=200.0))
    store.close()
    assert totals(home, last=True).calls == 0


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", "2026-11-20"), ("Pacific/Auckland", "2026-11-21"), ("America/New_York", "2026-11-20")]
)
def test_a_day_is_one_of_the_local_time_zone(home: Home, zone: str, day: str) -> None:
    write(home, Call(id="a", session="s", started_at=1_795_176_000.0))  # 2026-11-20 12:00 UTC
    script = (
        "import sys\nfrom pathlib import Path\nfrom moor.store.home import Home\n"
        "from moor.ledger.report import DAY, usage_rows\n"
        "print(usage_rows(Home(Path(sys.argv[1])), (DAY,))[0].by[DAY])"
    )
    environ = {**os.environ, "TZ": zone}
    done = subprocess.run([sys.executable, "-c", script, home.root], env=environ, capture_output=True, check=True)
    assert done.stdout.decode().strip() == day


@given(st.integers(0, 10**20))
def test_dollars_are_printed_exactly(nano: int) -> None:
    assert Decimal(usd_text(nano)) * 1_000_000_000 == nano
    assert "e" not in usd_text(nano).lower()


@given(st.integers(-(10**12), 10**12))
def test_the_json_form_holds_the_exact_sum(nano: int) -> None:
    assert Decimal(usd_text(nano)) == Decimal(nano).scaleb(-9)


def test_the_json_row_has_the_documented_keys(home: Home) -> None:
    write(home, Call(id="a", session="s", agent="one", model="m", cost_nano=1_230_000, usage=Usage(1, 2, 3, 4, 1)))
    (row,) = usage_rows(home, DIMENSIONS)
    shown = msgspec.json.decode(msgspec.json.encode(row.as_json()))
    assert set(shown) >= {
        *(AGENT, MODEL, DAY, SESSION, "calls", "failed", "input", "cache_read", "cache_write", "output"),
        *("reasoning", "cost_usd"),
    }
    assert (shown["cost_usd"], shown["output"], shown["reasoning"]) == (0.00123, 2, 1)
    assert shown["estimated"]["calls"] == 0


@pytest.mark.feature("F3.20")
def test_users_repositories_branches_sub_agents_and_labels_add_up_to_the_ledger(home: Home) -> None:
    store = SessionStore(home)
    for one, user, repo in (("s1", "ann", "git@host:a"), ("s2", "bob", "git@host:a")):
        session = Session(
            id=one, agent="x", cwd="/", upstream="ws", model="m", user=user, repository=repo, branch="main"
        )
        store.add(session)
    store.close()
    writer = LedgerWriter(home)
    rows = [
        ("s1", {"team": "x"}, "", 1),
        ("s2", {"team": "y"}, "p", 10),
        ("s2", {}, "", 100),
        ("key_1", {}, "", 1000),
    ]
    for place, (session_id, tags, parent, cost) in enumerate(rows):
        writer.put(
            Call(
                f"c{place}",
                session_id,
                agent_session="a1",
                parent_session=parent,
                upstream="ws",
                tags=tags,
                cost_nano=cost,
                usage=Usage(input=1),
            )
        )
    assert writer.close()
    wanted = {
        ("user",): {("ann",): 1, ("bob",): 110, ("",): 1000},
        ("repo", "branch"): {("git@host:a", "main"): 111, ("", ""): 1000},
        ("upstream",): {("ws",): 1111},
        ("subagent",): {("",): 1101, ("a1",): 10},
        ("tag:team",): {("x",): 1, ("y",): 10, ("",): 1100},
        ("tag:team", "user"): {("x", "ann"): 1, ("y", "bob"): 10, ("", "bob"): 100, ("", ""): 1000},
    }
    for by, sums in wanted.items():
        assert {tuple(row.by.values()): row.cost_nano for row in usage_rows(home, by)} == sums


def test_a_model_that_answered_for_another_is_counted_as_itself_and_can_be_shown_as_asked(home: Home) -> None:
    writer = LedgerWriter(home)
    writer.put(Call("c1", "s", model="small", asked="vendor-preview", cost_nano=1, usage=Usage(input=1)))
    writer.put(Call("c2", "s", model="small", cost_nano=10, usage=Usage(input=1)))
    assert writer.close()
    wanted = {
        ("model",): {("small",): 11},
        ("asked", "model"): {("vendor-preview", "small"): 1, ("small", "small"): 10},
    }
    for by, sums in wanted.items():
        assert {tuple(row.by.values()): row.cost_nano for row in usage_rows(home, by)} == sums
