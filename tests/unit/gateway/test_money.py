"""The money cap, and the gates that close when money cannot be counted."""

from __future__ import annotations

from moor.domain.models import NANO
from tests.unit.gateway.rig import make_session, rig, run


def test_a_money_cap_refuses_the_call_after_the_one_that_reached_it() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=200_000)) as r:
            answers = [await r.message() for _ in range(4)]
            assert [answer.status for answer in answers] == [200, 200, 403, 403]
            text = answers[2].json["error"]["message"]
            assert "has spent $0.000227 of its $0.0002 cap" in text
            assert "--budget-usd" in text
            assert len(r.server.seen) == 2

    run(scenario())


def test_what_was_spent_before_counts() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO), spent={"ses_test": NANO}) as r:
            assert (await r.message()).status == 403
            assert r.server.seen == []

    run(scenario())


def test_under_a_money_cap_a_model_without_a_price_is_refused() -> None:
    async def scenario() -> None:
        async with rig(session=make_session(budget_nano=NANO)) as r:
            answer = await r.ask("/openai/v1/chat/completions", {"model": "free-model"})
            assert answer.status == 403
            assert "no price is known" in answer.text

    run(scenario())


def test_when_the_ledger_cannot_be_written_nothing_goes_upstream() -> None:
    async def scenario() -> None:
        async with rig() as r:
            r.ledger.healthy = False
            answer = await r.message()
            assert answer.status == 403
            assert "ledger cannot be written" in answer.text
            assert r.server.seen == []

    run(scenario())
