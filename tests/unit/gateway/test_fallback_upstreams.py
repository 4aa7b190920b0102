"""A model of another upstream answers: whose the call is, in the ledger and under caps."""

from __future__ import annotations

import pytest

from moor.domain.budget import DAY, MONEY, TOKENS, Cap
from moor.domain.call import OK, REFUSED
from moor.domain.models import NANO
from moor.domain.session import AgentTraits
from moor.gateway.limits import Limits, Patience
from tests.unit.gateway.rig import make_session, rig, run
from tests.unit.gateway.scripted import Handler, Seen, Talk, Tokens, answer_anthropic

AGENT = AgentTraits(user_agent="tester/1", fatal_status={"unreachable": 400})
LIMITS = Limits(tick_s=0.02, patience=Patience(attempts=1, first_pause_s=0.01))


def first_fails() -> Handler:
    """A handler that fails once, and answers from then on."""
    asked: list[Seen] = []

    async def handler(talk: Talk, seen: Seen) -> None:
        asked.append(seen)
        if len(asked) == 1:
            await talk.json({"error": {"message": "internal trouble"}}, 503)
        else:
            await answer_anthropic(talk, seen)

    return handler


@pytest.mark.feature("F3.10", "F13.8")
def test_what_another_upstream_answers_is_booked_there_and_counts_into_its_caps() -> None:
    caps = tuple(
        Cap(name=upstream, per=DAY, unit=TOKENS, limit=limit, upstream=upstream)
        for upstream, limit in (("test", 1_000), ("backup", 400), ("third", 1))
    )

    async def scenario() -> None:
        session = make_session(traits=AGENT, fallback=("backup/m-1",), caps=caps)

        async with rig(handler=first_fails(), session=session, limits=LIMITS, backup=True) as r:
            assert (await r.message(max_tokens=200)).status == 200
            assert (await r.message(max_tokens=200)).status == 200
            rows = await r.rows(2)
            assert [(row.upstream, row.model, len(row.tries)) for row in rows] == [
                ("backup", "m-1", 1),
                ("test", "m-1", 0),
            ]
            assert [[amount for _, amount in row.draws] for row in rows] == [[row.usage.total] for row in rows]
            assert len({row.draws[0][0] for row in rows}) == 2

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_cap_of_another_upstream_refuses_the_fallback_that_it_cannot_pay_and_not_the_model_before_it() -> None:
    async def scenario() -> None:
        caps = (Cap(name="scarce", per=DAY, unit=TOKENS, limit=1, upstream="backup"),)
        session = make_session(traits=AGENT, fallback=("backup/m-1",), caps=caps)
        async with rig(handler=first_fails(), session=session, limits=LIMITS, backup=True) as r:
            refused = await r.message()
            assert (refused.status, len(r.server.seen)) == (403, 1)
            assert "scarce" in refused.text
            assert (await r.message()).status == 200
            assert [(row.outcome, row.upstream) for row in await r.rows(2)] == [(REFUSED, "backup"), (OK, "test")]

    run(scenario())


@pytest.mark.feature("F3.10", "F2.3")
def test_each_upstream_has_a_credential_that_may_be_dead() -> None:
    async def scenario() -> None:
        answers = [401, 503, 401, 200]

        async def handler(talk: Talk, seen: Seen) -> None:
            status = answers.pop(0)
            if status == 200:
                await answer_anthropic(talk, seen)
            else:
                await talk.json({"error_code": 401, "message": "Invalid access token."}, status)

        session = make_session(traits=AGENT, fallback=("backup/m-1",))
        async with rig(handler=handler, session=session, limits=LIMITS, backup=True, tokens=Tokens("a", "b")) as r:
            r.backup.tokens.tokens = ["c", "d"]
            assert (await r.message()).status == 200
            sent = [seen.headers["authorization"] for seen in r.server.seen]
            assert sent == ["Bearer a", "Bearer b", "Bearer c", "Bearer d"]

    run(scenario())


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize(("upstream", "outcome"), [("backup", OK), ("test", REFUSED), ("", REFUSED)])
def test_a_money_cap_asks_for_a_price_where_it_counts(upstream: str, outcome: str) -> None:
    async def scenario() -> None:
        caps = (Cap(name="cash", per=DAY, unit=MONEY, limit=NANO, upstream=upstream),)
        session = make_session(traits=AGENT, fallback=("backup/m-1",), caps=caps)
        async with rig(session=session, backup=True) as r:
            await r.ask("/openai/v1/chat/completions", {"model": "free-model", "messages": []})
            assert (await r.rows())[0].outcome == outcome

    run(scenario())
