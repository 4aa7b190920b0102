"""Every call that was accepted is in the ledger, whole; the gate closes when it cannot be."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moor.domain.call import OUTCOMES, Call, Try
from moor.domain.usage import Usage
from moor.ledger.calls import calls, one_call
from moor.ledger.report import totals
from moor.ledger.writer import LedgerWriter, insert_calls
from moor.store.db import opened, transaction
from moor.store.home import Home
from moor.store.rows import INT_MAX
from tests.support.fuzz import examples
from tests.support.spent import spent_nano


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "m")


TAGS: dict[str, str] = {"team": "x"}
"""one object, as all calls of a session have it"""


def write(home: Home, *calls: Call) -> None:
    writer = LedgerWriter(home)
    for call in calls:
        writer.put(call)
    assert writer.close()


FULL = Call(
    id="call_1",
    session="ses_1",
    agent="one",
    agent_session="as",
    parent_session="ps",
    upstream="dev",
    dialect="d",
    model="m",
    started_at=1_800_000_000.25,
    first_byte_ms=12,
    duration_ms=340,
    status=200,
    outcome="ok",
    attempts=2,
    stream=True,
    usage=Usage(1, 2, 3, 4, 5, 3),
    estimated=True,
    cost_nano=123_456_789,
    price_source="workspace",
    price_date="2026-10-01",
    rules=("a", "b"),
    error="e",
    request_bytes=10,
    response_bytes=20,
    tags={"team": "x"},
    asked="m-1",
    tries=(Try("m-1", "ws", 503, 40, "upstream-503"),),
)


def test_a_call_is_stored_with_everything_it_has(home: Home) -> None:
    write(home, FULL)
    with opened(home) as connection:
        row = dict(connection.execute("SELECT * FROM calls").fetchone())
    row["usage"] = {name: row.pop(name) for name in Usage.__struct_fields__}
    for name in ("rules", "tags", "tries"):
        row[name] = msgspec.json.decode(row[name])
    assert msgspec.convert(row, Call, strict=False) == FULL
    assert one_call(home, FULL.id) == FULL


def test_a_call_handed_over_twice_counts_once(home: Home) -> None:
    write(home, FULL)
    write(home, msgspec.structs.replace(FULL, cost_nano=1))
    whole = totals(home)
    assert (whole.calls, whole.cost_nano) == (1, FULL.cost_nano), "the ledger is append-only"


def test_calls_whose_commit_seemed_to_fail_are_not_counted_again(home: Home) -> None:
    """An error is reported, and the rows are there; more calls have come when the batch is tried again."""
    made = [Call(id=f"call_{number}", session="ses_1", tags=TAGS, cost_nano=number) for number in (2, 1)]
    with opened(home) as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON call_groups BEGIN SELECT RAISE(ABORT, 'no'); END")
    writer = LedgerWriter(home)
    for call in made:
        writer.put(call)
    end = time.monotonic() + 5
    while writer.healthy and time.monotonic() < end:
        time.sleep(0.01)
    assert not writer.healthy
    writer.put(Call(id="call_3", session="ses_1", tags=TAGS, cost_nano=4))
    with opened(home) as connection, transaction(connection):
        connection.execute("DROP TRIGGER no")
        insert_calls(connection, made)
    assert writer.close()
    assert [call.id for call in calls(home)] == ["call_3", "call_2", "call_1"]
    whole = totals(home)
    assert (whole.calls, whole.cost_nano) == (3, 7)


def test_calls_that_differ_in_numbers_only_are_one_row_and_read_one_by_one(home: Home) -> None:
    started = 1_800_000_000.0
    made = [
        Call(
            id=f"call_{number:03}",
            session="ses_1",
            tags=TAGS,
            started_at=started + number,
            first_byte_ms=number or None,
            duration_ms=2 * number,
            usage=Usage(number, 1, 2, 3, 4, 5),
            cost_nano=number if number % 3 else None,
        )
        for number in range(60)
    ]
    write(home, *reversed(made))
    with opened(home) as connection:
        (row,) = connection.execute("SELECT * FROM call_groups").fetchall()
    assert (row["first_id"], row["id"], row["calls"]) == ("call_000", "call_059", 60)
    assert calls(home, limit=100) == made[::-1]
    assert [call.id for call in calls(home, limit=2)] == ["call_059", "call_058"]
    assert one_call(home, "call_031") == made[31]
    assert one_call(home, "_031") == made[31]
    assert one_call(home, "call_06") is None
    whole = totals(home)
    assert (whole.calls, whole.unpriced, whole.usage.input) == (60, 20, sum(range(60)))
    late = totals(home, since=started + 50)
    assert (late.calls, late.unpriced, late.usage.input) == (10, 3, sum(range(50, 60)))


@pytest.mark.parametrize("where", ["call_00", "call_9"])
def test_the_newest_calls_are_found_in_any_group(home: Home, where: str) -> None:
    """Two kinds of calls took turns, so that their groups overlap; one of them is the newest."""
    made = [Call(id=f"call_{number}", session="ses_1", model=f"m{number % 2}", tags=TAGS) for number in range(8)]
    made.append(Call(id=where, session="ses_1", model="m2"))
    write(home, *made)
    newest = sorted((call.id for call in made), reverse=True)
    for limit in range(1, 10):
        assert [call.id for call in calls(home, limit=limit)] == newest[:limit]


def test_a_group_is_of_one_quarter_of_an_hour(home: Home) -> None:
    """So that no group is of two days, whatever the time zone."""
    made = [Call(id=f"call_{number}", session="s", tags=TAGS, started_at=895.0 + number) for number in range(9)]
    write(home, *made)
    with opened(home) as connection:
        rows = connection.execute("SELECT started_at, last_at FROM call_groups ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(895.0, 899.0), (900.0, 903.0)]


wild = st.builds(
    Call,
    id=st.text(min_size=1),
    session=st.text(st.characters(categories=["Cs", "L", "Cc"])),
    model=st.text(st.characters(categories=["Cs", "L", "Cc"])),
    started_at=st.floats(),
    first_byte_ms=st.none() | st.integers(),
    duration_ms=st.integers(),
    status=st.integers(),
    outcome=st.sampled_from(OUTCOMES),
    usage=st.builds(Usage, *[st.integers()] * 5),
    cost_nano=st.none() | st.integers(),
    tags=st.dictionaries(st.text(), st.text(st.characters(categories=["Cs", "L"]))),
    error=st.text(st.characters(categories=["Cs", "L"])),
)


@settings(max_examples=examples(30))
@given(st.lists(wild, max_size=5, unique_by=lambda call: call.id.encode("utf-8", "replace")))
def test_no_call_whatever_an_upstream_reports_stops_the_ledger(
    tmp_path_factory: pytest.TempPathFactory, made: list[Call]
) -> None:
    home = Home(tmp_path_factory.mktemp("home"))
    write(home, *made)
    assert totals(home).calls == len(made)
    assert len(calls(home, limit=9)) == len(made)


def test_absurd_usage_is_cut_and_the_sum_still_exact(home: Home) -> None:
    write(home, *(Call(id=f"c{n}", session="s", usage=Usage(input=1 << 80), cost_nano=1 << 80) for n in range(5000)))
    whole = totals(home)
    assert (whole.usage.input, whole.cost_nano) == (5000 * INT_MAX, 5000 * INT_MAX)
    assert spent_nano(home, "s") == 5000 * INT_MAX


@pytest.mark.feature("F13.8")
def test_what_a_session_spent_is_the_sum_of_its_priced_calls(home: Home) -> None:
    assert spent_nano(home, "s") == 0
    write(
        home,
        Call(id="a", session="s", cost_nano=5),
        Call(id="b", session="s", cost_nano=7, estimated=True),
        Call(id="c", session="s", cost_nano=None),
        Call(id="d", session="a", cost_nano=100),
        Call(id="e", session="z", cost_nano=100),
    )
    assert spent_nano(home, "s") == 12


def test_a_ledger_that_cannot_be_written_says_so_and_keeps_its_calls(home: Home) -> None:
    home.ensure()
    home.db_path.mkdir()
    writer = LedgerWriter(home)
    writer.put(FULL)
    end = time.monotonic() + 5
    while writer.healthy and time.monotonic() < end:
        time.sleep(0.01)
    assert not writer.healthy
    assert writer.problem is not None
    assert not writer.flush(timeout_s=0.01)
    home.db_path.rmdir()
    assert writer.close()
    assert writer.healthy
    assert totals(home).calls == 1


FILL = """
import sys
from pathlib import Path
from moor.domain.call import Call
from moor.domain.call import Try
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home
writer = LedgerWriter(Home(Path(sys.argv[1])))
number = 0
while True:
    for _ in range(10):
        writer.put(Call(id=f"{sys.argv[2]}-{number}", session="s", cost_nano=1))
        number += 1
    if writer.flush():
        print(number, flush=True)
"""


@pytest.mark.feature("F8.6")
def test_kill_9_of_several_gateways_loses_no_call_that_was_flushed(home: Home) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", FILL, str(home.root), str(n)], stdout=subprocess.PIPE, encoding="utf-8"
        )
        for n in range(4)
    ]
    flushed = 0
    for writer in writers:
        assert writer.stdout is not None
        for _ in range(8):
            writer.stdout.readline()
    for writer in writers:
        writer.kill()
        assert writer.stdout is not None
        whole_lines = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        flushed += int(whole_lines[-1]) if whole_lines else 80
        writer.stdout.close()
        writer.wait()
    stored = totals(home).calls
    assert flushed <= stored <= flushed + 4 * 10
    assert spent_nano(home, "s") == stored
