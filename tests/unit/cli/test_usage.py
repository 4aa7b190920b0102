"""`moor usage` as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from json import loads

import pytest

from moor.domain.call import Call
from moor.domain.usage import Usage
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]


@pytest.fixture
def some_calls(moor_home: MoorHome) -> list[Call]:
    calls = [
        Call(
            id=f"c{n}",
            session=f"ses_{n % 2}",
            agent="one",
            model=("m", "n")[n % 2],
            started_at=1_795_176_000.0 + n,
            usage=Usage(input=1000 + n, output=10, cache_read=5),
            cost_nano=1_234_567 * n,
            estimated=n == 3,
        )
        for n in range(1, 6)
    ]
    writer = LedgerWriter(Home(moor_home.root))
    for call in calls:
        writer.put(call)
    assert writer.close()
    return calls


def test_before_the_first_call_it_says_how_to_make_one(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("usage")
    assert (done.code, done.stdout) == (0, "")
    assert "no calls yet: moor run" in done.stderr
    assert run_moor("usage", "--json").last_json == []
    assert not moor_home.root.exists()


@pytest.mark.feature("F8.6")
def test_the_table_has_a_row_a_model_and_a_total(run_moor: Run, some_calls: list[Call]) -> None:
    done = run_moor("usage")
    head, *rows = done.stdout.splitlines()
    assert head.split("  ")[0] == "agent"
    assert [row.split()[:3] for row in rows] == [["one", "m", "2"], ["one", "n", "3"], ["total", "5", "0"]]
    assert rows[-1].split()[-1] == "0.018518505*"
    assert "the final usage of 1 calls never came" in done.stderr


def test_json_rows_add_up_to_the_ledger_exactly(run_moor: Run, some_calls: list[Call]) -> None:
    rows = loads(run_moor("usage", "--json").stdout, parse_float=Decimal)
    assert {row["session"] for row in rows} == {"ses_0", "ses_1"}
    assert sum(row["cost_usd"] for row in rows) == Decimal(sum(call.cost_nano or 0 for call in some_calls)).scaleb(-9)
    assert sum(row["input"] for row in rows) == sum(call.usage.input for call in some_calls)
    assert set(rows[0]) >= {"agent", "model", "day", "session", "calls", "failed", "input", "cache_read"}
    assert set(rows[0]) >= {"cache_write", "output", "reasoning", "cost_usd"}


def test_grouping_and_selection_follow_the_options(run_moor: Run, some_calls: list[Call]) -> None:
    rows = run_moor("usage", "--by", "session", "--json").last_json
    assert [(row["session"], row["calls"], row["model"]) for row in rows] == [("ses_0", 2, None), ("ses_1", 3, None)]
    assert [row["calls"] for row in run_moor("usage", "--by", "agent", "--session", "ses_0", "--json").last_json] == [
        2
    ]
    assert [row["calls"] for row in run_moor("usage", "--by", "agent", "--last", "--json").last_json] == [3]
    assert run_moor("usage", "--since", "2030-01-01", "--json").last_json == []
    assert "days are those of the local time zone" in run_moor("usage", "--by", "day").stderr


def test_a_model_without_a_price_is_said_and_not_counted_as_free(
    run_moor: Run, moor_home: MoorHome, some_calls: list[Call]
) -> None:
    writer = LedgerWriter(Home(moor_home.root))
    writer.put(Call(id="x", session="s", agent="one", model="free?", usage=Usage(input=7)))
    writer.close()
    done = run_moor("usage", "--by", "model")
    assert done.stdout.splitlines()[1].split()[-1] == "?"
    assert "no price is known for 1 of the calls; those with a known price cost $0.018518505" in done.stderr
    by_model = {row["model"]: row["cost_usd"] for row in run_moor("usage", "--by", "model", "--json").last_json}
    assert by_model["free?"] is None


@pytest.mark.parametrize(
    "argv", [("--by", "colour"), ("--by", ""), ("--since", "soon"), ("--last", "--session", "s")]
)
def test_a_mistake_has_exit_code_2_and_a_hint(run_moor: Run, argv: tuple[str, ...]) -> None:
    done = run_moor("usage", *argv)
    assert done.code == 2
    assert "hint: moor usage" in done.stderr
