"""Models that agents ask for by themselves, sub-agents in the ledger, and rules that wait for a refusal."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from moor.domain.call import ERROR, OK, REFUSED
from moor.domain.dialects import DIALECTS, GEMINI_GENERATE, OPENAI_CHAT
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.quirks import REFUSES_THINKING_CONTROLS
from moor.domain.session import AgentTraits
from moor.store.home import Home
from moor.store.learned import KEPT_S, LearnedRules
from tests.unit.gateway.rig import PATHS, make_session, rig, run
from tests.unit.gateway.scripted import ANSWER, Seen, Talk

TRAITS = AgentTraits(side_models=(("gemini-*-flash*", "small"), ("gemini-*", "main")))
ONLY_M1 = Policy((PolicyLayer("administrator", allow=("m-1",)),))


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_side_model_off_the_list_is_answered_by_the_model_of_its_slot(dialect: str) -> None:
    async def scenario() -> None:
        session = make_session(small_model="m-2", traits=TRAITS)
        async with rig(session=session) as r:
            for asked, answers in (("gemini-3-flash-preview", "m-2"), ("gemini-3-pro-preview", "m-1")):
                body = {} if dialect == GEMINI_GENERATE else {"model": asked, "messages": [{"model": asked}]}
                answer = await r.ask(PATHS[dialect].replace("m-1", asked), body)
                assert answer.status == 200, answer.text
                seen = r.server.seen[-1]
                if dialect != GEMINI_GENERATE:
                    assert json.loads(seen.body) == {"model": answers, "messages": [{"model": asked}]}
                row = (await r.rows(len(r.server.seen)))[-1]
                assert (row.outcome, row.model, row.asked) == (OK, answers, asked)

    run(scenario())


def test_a_model_that_is_on_the_list_is_never_replaced() -> None:
    async def scenario() -> None:
        traits = AgentTraits(side_models=(("*", "main"),))
        async with rig(session=make_session(traits=traits, policy=ONLY_M1)) as r:
            assert (await r.message(model="secret-model")).status == 403
            assert (await r.message(model="m-1")).status == 200
            rows = await r.rows(2)
            assert [(row.outcome, row.model, row.asked) for row in rows] == [
                (REFUSED, "secret-model", ""),
                (OK, "m-1", ""),
            ]

    run(scenario())


@pytest.mark.feature("F4.5")
def test_the_allowlist_holds_for_the_model_that_would_answer_instead() -> None:
    async def scenario() -> None:
        session = make_session(model="secret-model", small_model="m-1", traits=TRAITS, policy=ONLY_M1)
        async with rig(session=session) as r:
            assert (await r.message(model="gemini-3-pro")).status == 403
            assert (await r.message(model="gemini-3-flash")).status == 200
            assert (await r.message(model="gpt-9")).status == 403
            assert len(r.server.seen) == 1

    run(scenario())


def test_the_main_model_answers_where_the_small_one_does_not_speak_the_dialect() -> None:
    async def scenario() -> None:
        session = make_session(small_model="free-model", traits=TRAITS)
        async with rig(session=session) as r:
            assert (await r.message(model="gemini-3-flash")).status == 200
            assert json.loads(r.server.seen[0].body)["model"] == "m-1"

    run(scenario())


@pytest.mark.feature("F3.20")
def test_a_header_that_names_the_sub_agent_makes_its_calls_children_of_the_session() -> None:
    async def scenario() -> None:
        traits = AgentTraits(session_header="X-Session", subagent_header="X-Agent-Id")
        async with rig(session=make_session(traits=traits)) as r:
            await r.ask(PATHS[OPENAI_CHAT], {"model": "m-1"}, x_session="s1")
            await r.ask(PATHS[OPENAI_CHAT], {"model": "m-1"}, x_session="s1", x_agent_id="a1")
            rows = await r.rows(2)
            assert [(row.agent_session, row.parent_session) for row in rows] == [("s1", ""), ("a1", "s1")]

    run(scenario())


def refusing(word: str) -> Any:
    """An upstream that refuses bodies with a word, by naming it."""

    async def handler(talk: Talk, seen: Seen) -> None:
        if word.encode() in seen.body:
            await talk.json({"message": f"{word}: Extra inputs are not permitted"}, 400)
        else:
            await talk.json(ANSWER)

    return handler


def test_a_rule_that_waits_is_learned_at_the_first_refusal_and_that_call_succeeds() -> None:
    async def scenario() -> None:
        quirks = frozenset((REFUSES_THINKING_CONTROLS,))
        async with rig(quirks=quirks, handler=refusing("output_config")) as r:
            for _ in range(2):
                assert (await r.message(output_config={"effort": "high"})).status == 200
            rows = await r.rows(2)
            assert [(row.outcome, row.attempts, row.rules) for row in rows] == [
                (OK, 2, ("output-config",)),
                (OK, 1, ("output-config",)),
            ]
            assert len(r.server.seen) == 3

    run(scenario())


def test_what_was_learned_is_known_to_the_next_gateway_for_a_week(tmp_path: Path) -> None:
    home, quirks = Home(tmp_path / "moor"), frozenset((REFUSES_THINKING_CONTROLS,))
    kept = LearnedRules(home, "test")

    async def scenario(attempts: int) -> None:
        async with rig(quirks=quirks, handler=refusing("output_config"), learned=lambda _: kept) as r:
            assert (await r.message(output_config={"effort": "high"})).status == 200
            assert (await r.rows())[0].attempts == attempts
            for _ in range(100):
                if kept.load(time.time()):
                    return
                await asyncio.sleep(0.02)

    run(scenario(2))
    run(scenario(1))
    assert kept.load(time.time()) == {"m-1": frozenset({"output-config"})}
    assert kept.load(time.time() + KEPT_S + 60) == {}
    next(home.catalogues_dir.glob("*.learned.json")).write_bytes(b"{broken")
    assert kept.load(time.time()) == {}


def test_a_refusal_that_says_something_else_reaches_the_agent_and_teaches_nothing() -> None:
    async def scenario() -> None:
        quirks = frozenset((REFUSES_THINKING_CONTROLS,))
        async with rig(quirks=quirks, handler=refusing("max_tokens")) as r:
            for _ in range(2):
                answer = await r.message(output_config={"effort": "high"})
                assert answer.status == 400
                assert "max_tokens: Extra inputs" in answer.text
            rows = await r.rows(2)
            assert [(row.outcome, row.attempts, row.rules) for row in rows] == [(ERROR, 1, ()), (ERROR, 1, ())]

    run(scenario())


def test_a_rule_that_did_not_help_is_not_tried_twice() -> None:
    async def scenario() -> None:
        async def handler(talk: Talk, seen: Seen) -> None:
            await talk.json({"message": "no output_config here, whatever you send"}, 400)

        async with rig(quirks=frozenset((REFUSES_THINKING_CONTROLS,)), handler=handler) as r:
            assert (await r.message(output_config={"effort": "high"})).status == 400
            assert len(r.server.seen) == 2

    run(scenario())
