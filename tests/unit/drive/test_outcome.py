from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.call import CANCELLED, CUT, ERROR, OK, REFUSED, UNREACHABLE, Call
from moor.domain.result import BUDGET, FAILED
from moor.drive.outcome import LastFailure, broken_end, last_failure, model_error
from moor.errors.base import ExitCode
from moor.ledger.writer import LedgerWriter
from moor.store.home import Home


def test_the_newest_call_that_failed_is_the_cause(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.ensure()
    ledger = LedgerWriter(home)
    rows = [
        ("a", ERROR, "old: x", 1.0),
        ("b", REFUSED, "budget-reached: y", 2.0),
        ("c", OK, "", 3.0),
        ("d", CANCELLED, "z", 4.0),
    ]
    for name, outcome, error, at in rows:
        ledger.put(Call(id=name, session="ses_1", outcome=outcome, error=error, started_at=at, status=403))
    assert ledger.close(5.0)
    assert last_failure(home, "ses_1") == LastFailure("budget-reached", REFUSED, 403, "y")
    assert last_failure(home, "ses_2") is None
    assert last_failure(Home(tmp_path / "none"), "ses_1") is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("m", CUT, 200, "cut: upstream s broke off: it closed")], "upstream s broke off: it closed"),
        ([("m", ERROR, 200, "in the answer: too much")], "too much"),
        ([("m", CUT, 200, "")], "the answer broke off"),
        ([("m", CUT, 200, "cut: x"), ("m", OK, 200, "")], ""),
        ([("m", OK, 200, ""), ("small", CUT, 200, "cut: a side call")], ""),
        ([("m", OK, 200, ""), ("m", ERROR, 404, "no count")], ""),
        ([], ""),
    ],
)
def test_a_last_answer_that_broke_off_is_no_answer(
    rows: list[tuple[str, str, int, str]], words: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    assert broken_end(home, "ses_1", "m") == ""
    home.ensure()
    ledger = LedgerWriter(home)
    for at, (model, outcome, status, error) in enumerate(rows):
        ledger.put(
            Call(
                id=str(at),
                session="ses_1",
                model=model,
                outcome=outcome,
                status=status,
                error=error,
                started_at=1.0 + at,
            )
        )
    assert ledger.close(5.0)
    assert broken_end(home, "ses_1", "m") == words


@pytest.mark.parametrize(
    ("cause", "status", "ref", "code"),
    [
        (None, FAILED, "model-failed", ExitCode.FAILED),
        (LastFailure("budget-reached", REFUSED, 403), BUDGET, "budget-reached", ExitCode.FAILED),
        (LastFailure("refresh-refused", ERROR, 401), FAILED, "refresh-refused", ExitCode.SIGN_IN),
        (LastFailure("upstream 401", ERROR, 401), FAILED, "sign-in-needed", ExitCode.SIGN_IN),
        (LastFailure("sign-in-needed", REFUSED, 403), FAILED, "sign-in-needed", ExitCode.SIGN_IN),
        (LastFailure("upstream 401", ERROR, 400), FAILED, "sign-in-needed", ExitCode.SIGN_IN),
        (LastFailure("unreachable", UNREACHABLE, 400), FAILED, "unreachable", ExitCode.UNREACHABLE),
        (LastFailure("model-not-allowed", REFUSED, 403), FAILED, "model-not-allowed", ExitCode.FAILED),
        (LastFailure("upstream 500", ERROR, 500), FAILED, "model-failed", ExitCode.FAILED),
    ],
)
def test_the_cause_decides_status_reference_and_exit_code(
    cause: LastFailure | None, status: str, ref: str, code: ExitCode
) -> None:
    ending = model_error("what the agent showed", "work", cause)
    assert (ending.status, ending.error.ref, ending.exit_code) == (status, ref, code)
    assert ending.error.message == "what the agent showed"
    assert ending.error.hint


def test_words_that_the_agent_replaced_by_its_own_are_told_too() -> None:
    cause = LastFailure("upstream 500", ERROR, 500, "it broke")
    assert model_error("High demand.", "work", cause).error.message == "High demand (it broke)"
    assert model_error("Error 500: it  broke", "work", cause).error.message == "Error 500: it  broke"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("this session has spent $0.02 of $0.03, so this answer was stopped", "moor run --budget-usd "),
        ("this session has used 12 tokens of 20 tokens, so this answer was stopped", "moor run --budget-tokens "),
        ("today's calls have spent $3 of $3 (day), and this call needs at least $0.01", "moor budget raise day "),
    ],
)
def test_the_hint_at_a_cap_names_what_allows_more(words: str, command: str) -> None:
    end = model_error("x", "dev", LastFailure("budget-reached", REFUSED, 403, words))
    assert end.error is not None
    assert end.error.hint.startswith(command)


def test_a_name_with_a_space_is_quoted_in_the_hint() -> None:
    end = model_error(
        "x", "dev", LastFailure("budget-reached", REFUSED, 403, "all calls have spent $3 of $3 (my cap)")
    )
    assert end.error is not None
    assert end.error.hint.startswith("moor budget raise 'my cap' ")
