"""The gateway in front of the strict workspace: every dialect, every way a credential dies, every fault."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moor.domain.call import CUT, ERROR, OK
from moor.domain.cost import cost_nano
from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.gateway.limits import Limits
from moor.sim.identity.dead import FORMS
from tests.sim.gateway_rig import SimRig, sim_rig

CLAUDE, GEMINI, GPT = "databricks-claude-sonnet-4-6", "databricks-gemini-2-5-pro", "databricks-gpt-5-2"
ANTHROPIC_HEADERS = {"anthropic-version": "2023-06-01", "anthropic-beta": "structured-outputs-2025-11-13"}


def request_for(dialect: str, prompt: str, *, stream: bool) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Path, body and headers of a call."""
    if dialect == ANTHROPIC_MESSAGES:
        messages = [{"role": "user", "content": [{"type": "text", "text": prompt}]}]
        body = {"model": CLAUDE, "max_tokens": 1000, "messages": messages, "stream": stream}
        return "/anthropic/v1/messages", body, ANTHROPIC_HEADERS
    if dialect == OPENAI_CHAT:
        body = {"model": "databricks-glm-5-2", "messages": [{"role": "user", "content": prompt}], "stream": stream}
        return "/openai/v1/chat/completions", body, {}
    if dialect == OPENAI_RESPONSES:
        return "/openai/v1/responses", {"model": GPT, "input": prompt, "stream": stream, "store": False}, {}
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": "user", "parts": [{"text": prompt}]}]
    return f"/gemini/v1beta/models/{GEMINI}:{action}", {"contents": contents}, {}


@pytest.mark.feature("F3.1", "F3.2", "F3.3", "F3.4")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", [ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES, GEMINI_GENERATE])
def test_the_ledger_says_what_the_workspace_counted(dialect: str, stream: bool, sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            path, body, headers = request_for(dialect, "sim:hello please", stream=stream)
            answer = await rig.ask(path, body, headers)
            assert answer.status == 200, answer.text
            assert answer.broken == ""
            row = (await rig.rows(1))[0]
            counted = (await rig.control("usage"))["calls"][-1]["usage"]
            assert (row.outcome, row.estimated, row.stream) == (OK, False, stream)
            assert row.usage.output == counted["output"]
            assert row.usage.input == counted["input"]
            assert (row.usage.cache_read, row.usage.cache_write) == (counted["cache_read"], counted["cache_write"])
            assert row.usage.reasoning == counted["reasoning"]
            assert row.cost_nano
            assert row.price_source

    asyncio.run(scenario())


def test_calls_are_told_by_user_agent_and_tags(sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            path, body, headers = request_for(ANTHROPIC_MESSAGES, "sim:hello", stream=False)
            await rig.ask(path, body, {**headers, "user-agent": "opencode/1.18.33", "x-session-affinity": "ses_a"})
            seen = (await rig.control("requests"))[-1]
            assert seen["user_agent"].startswith("moor/")
            assert "opencode/1.18.33" in seen["user_agent"]
            assert (await rig.rows(1))[0].agent_session == "ses_a"

    asyncio.run(scenario())


@pytest.mark.feature("F2.3")
@pytest.mark.parametrize("form", FORMS)
def test_a_revoked_token_ends_in_the_sign_in_sentence_in_time(form: str, sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            await rig.control("dead_credential", form)
            await rig.control("revoke_all")
            started = time.monotonic()
            path, body, headers = request_for(ANTHROPIC_MESSAGES, "sim:hello", stream=True)
            answer = await rig.ask(path, body, headers)
            assert answer.status == 401, answer.text
            assert "moor login" in answer.json["error"]["message"]
            assert time.monotonic() - started < 20
            assert (await rig.rows(1))[0].outcome == ERROR

    asyncio.run(scenario())


async def ask_anthropic(rig: SimRig, prompt: str = "sim:hello", *, stream: bool = True) -> Any:
    """One streamed call."""
    path, body, headers = request_for(ANTHROPIC_MESSAGES, prompt, stream=stream)
    return await rig.ask(path, body, headers)


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ({"status": 429, "body": {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down"}}, 429, "slow down"),
        ({"status": 500, "html": True}, 500, "web page"),
        ({"status": 503, "body": {"message": "later"}}, 503, "later"),
        ({"status": 404, "body": {"error_code": "NOT_FOUND", "message": "gone"}}, 404, "gone"),
        ({"html": True}, 502, "web page"),
        ({"garbage": True}, 502, "not JSON"),
        ({"raw": "nonsense\r\n\r\n"}, 502, "not HTTP"),
        ({"drop": True}, 502, "broke off"),
        ({"first_byte_never": True}, 502, "silent"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_fault_before_the_answer_has_its_sentence(
    fault: dict[str, Any], status: int, said: str, sim: Any, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path, limits=Limits(tick_s=0.05, first_byte_s=0.5)) as rig:
            await rig.control("fault", "*/anthropic/v1/messages", **fault)
            answer = await ask_anthropic(rig, stream=False)
            assert (answer.status, answer.broken) == (status, ""), answer.text
            assert said in answer.text
            await rig.control("clear_faults")
            assert (await ask_anthropic(rig)).status == 200

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "fault",
    [{"cut_after_bytes": 700}, {"end_after_bytes": 700}, {"stall_after_bytes": 700}],
    ids=["cut", "end", "stall"],
)
def test_a_fault_inside_a_stream_is_an_error_at_its_end(fault: dict[str, Any], sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path, limits=Limits(tick_s=0.05, between_s=0.5)) as rig:
            await rig.control("fault", "*/anthropic/v1/messages", **fault)
            answer = await ask_anthropic(rig)
            assert answer.status == 200
            assert b"event: error" in answer.body
            row = (await rig.rows(1))[0]
            assert (row.outcome, row.estimated) == (CUT, True)

    asyncio.run(scenario())


def test_an_error_in_mid_stream_counts_as_an_error(sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            answer = await ask_anthropic(rig, "sim:error-mid-stream")
            assert answer.status == 200
            assert (await rig.rows(1))[0].outcome == ERROR

    asyncio.run(scenario())


def test_a_gemini_stream_on_chat_is_metered_although_its_options_are_refused(sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            body = {"model": GEMINI, "messages": [{"role": "user", "content": "sim:hello"}], "stream": True}
            answer = await rig.ask("/openai/v1/chat/completions", body)
            assert answer.status == 200, answer.text
            row = (await rig.rows(1))[0]
            assert row.usage.output > 0

    asyncio.run(scenario())


def test_token_counts_are_answered_whether_the_workspace_serves_them_or_not(sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            body = {"model": CLAUDE, "messages": [{"role": "user", "content": "sim:hello " * 50}]}
            for served in (False, True):
                await rig.control("switch", count_tokens=served)
                answer = await rig.ask("/anthropic/v1/messages/count_tokens", body, ANTHROPIC_HEADERS)
                assert answer.status == 200, answer.text
                assert answer.json["input_tokens"] > 50

    asyncio.run(scenario())


def test_a_header_that_would_pick_another_provider_does_not_arrive(sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            path, body, headers = request_for(ANTHROPIC_MESSAGES, "sim:hello", stream=False)
            evil = {"databricks-model-provider-service": "main.evil.provider", "cookie": "a=b"}
            assert (await rig.ask(path, body, {**headers, **evil})).status == 200
            names = {name.lower() for name in (await rig.control("requests"))[-1]["header_names"]}
            assert not names & set(evil)

    asyncio.run(scenario())


@pytest.mark.feature("F8.6")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_a_cache_keeps_for_an_hour_has_its_own_price(stream: bool, sim: Any, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            path, body, headers = request_for(ANTHROPIC_MESSAGES, "sim:hello please", stream=stream)
            await rig.control("switch", cache_ttl=True)
            mark = {"type": "ephemeral", "ttl": "1h"}
            body["system"] = [{"type": "text", "text": "Rules. " * 2000, "cache_control": mark}]
            assert (await rig.ask(path, body, headers)).status == 200
            row = (await rig.rows(1))[0]
            assert row.usage.cache_write_1h == row.usage.cache_write > 2000
            price = next(model.price for model in rig.upstream.catalogue().models if model.id == row.model)
            assert row.cost_nano == cost_nano(row.usage, price)
            cheaper = cost_nano(msgspec.structs.replace(row.usage, cache_write_1h=0), price)
            assert cheaper is not None
            assert row.cost_nano > cheaper

    asyncio.run(scenario())
