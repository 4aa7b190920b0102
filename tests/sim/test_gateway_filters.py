"""Each rule of the wire on its recorded requests: refused by the strict workspace without it, taken with it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from moor.domain.call import OK
from moor.gateway.filters import FILTERS
from tests.sim.gateway_rig import compact, sim_rig, straight

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "filters"
CASES = sorted(GOLDEN.glob("*/*.json"))
REFUSED = [case for case in CASES if "refusal" in json.loads(case.read_text(encoding="utf-8"))]
ANSWERED = [case for case in CASES if case not in REFUSED]
USER = {"role": "user", "content": "go"}
NOT_REFUSED = ("include-usage", "stream-end")
"""rules that add to an answer instead of saving a request; they have tests of their own"""

_STRAIGHT = {
    "/openai/v1/responses": "/ai-gateway/codex/v1/responses",
    "/anthropic/v1": "/ai-gateway/anthropic/v1",
    "/openai/v1": "/ai-gateway/mlflow/v1",
    "/gemini/v1beta": "/ai-gateway/gemini/v1beta",
}


def workspace_path(path: str) -> str:
    """Where the same call goes at the workspace itself."""
    for ours, theirs in _STRAIGHT.items():
        if path.startswith(ours):
            return theirs + path.removeprefix(ours)
    raise AssertionError(path)


def test_every_rule_has_a_recorded_request() -> None:
    assert {case.parent.name for case in CASES} == set(FILTERS) - set(NOT_REFUSED)


@pytest.mark.feature("F3.8")
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_the_workspace_refuses_the_request_and_takes_it_repaired(case: Path, sim: Any, tmp_path: Path) -> None:
    recorded = json.loads(case.read_text(encoding="utf-8"))
    body, headers = compact(recorded["body"]), recorded["headers"]

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            bare = await straight(rig, workspace_path(recorded["path"]), body, headers)
            assert bare.status == 400, bare.text
            assert recorded["refusal"] in bare.text
            answer = await rig.ask(recorded["path"], body, headers)
            assert answer.status == 200, answer.text
            row = (await rig.rows(1))[0]
            assert case.parent.name in row.rules
            assert row.usage.input > 0

    asyncio.run(scenario())


@pytest.mark.feature("F3.8")
@pytest.mark.parametrize("case", ANSWERED, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_the_workspace_answers_in_a_form_of_its_own_and_the_agent_gets_the_usual_one(
    case: Path, sim: Any, tmp_path: Path
) -> None:
    recorded = json.loads(case.read_text(encoding="utf-8"))
    body, headers = compact(recorded["body"]), recorded["headers"]

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            await rig.control("switch", **recorded.get("switches", {}))
            bare = await straight(rig, workspace_path(recorded["path"]), body, headers)
            assert bare.status == 200, bare.text
            assert recorded["says"] in bare.text
            answer = await rig.ask(recorded["path"], body, headers)
            assert answer.status == 200, answer.text
            assert recorded["says"] not in answer.text
            assert recorded["mended"] in answer.text
            row = (await rig.rows(1))[0]
            assert case.parent.name in row.rules
            assert (row.outcome, row.estimated) == (OK, False)
            counted = (await rig.control("usage"))["calls"][-1]["usage"]
            assert (row.usage.output, row.usage.reasoning) == (counted["output"], counted["reasoning"])

    asyncio.run(scenario())


@pytest.mark.feature("F3.8")
def test_a_refusal_that_no_rule_knows_reaches_the_agent_in_the_workspaces_own_words(sim: Any, tmp_path: Path) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    bodies = [
        {"model": "databricks-claude-sonnet-4-6", "max_tokens": 10, "messages": [USER], "brand_new_key": 1},
        {"model": "databricks-claude-sonnet-4-6", "max_tokens": 10, "messages": [USER], "tools": [search]},
    ]

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            for body in bodies:
                bare = await straight(rig, "/ai-gateway/anthropic/v1/messages", compact(body), {})
                answer = await rig.ask("/anthropic/v1/messages", compact(body))
                assert (answer.status, answer.body) == (bare.status, bare.body)
                assert answer.status == 400
            rows = await rig.rows(2)
            assert [row.rules for row in rows] == [(), ()]
            assert "brand_new_key" in rows[0].error

    asyncio.run(scenario())


@pytest.mark.parametrize("model", ["databricks-glm-5-2", "databricks-gpt-oss-120b"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_without_anything_to_repair_passes_as_it_came(
    model: str, stream: bool, sim: Any, tmp_path: Path
) -> None:
    body = compact({"model": model, "messages": [{"role": "user", "content": "sim:hello"}], "stream": stream})

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            await rig.control("switch", list_content=False)
            bare = await straight(rig, "/ai-gateway/mlflow/v1/chat/completions", body, {})
            answer = await rig.ask("/openai/v1/chat/completions", body)
            assert without_ids(answer.body) == without_ids(bare.body)
            assert (await rig.rows(1))[0].rules in ((), ("include-usage",))

    asyncio.run(scenario())


def without_ids(body: bytes) -> bytes:
    """An answer without what differs from call to call."""
    return re.sub(rb'("id":"[^"]*"|"created":\d+)', b"", body)
