"""Each rule of the wire on its recorded requests: refused by the strict workspace without it, taken with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT
from moor.gateway.filters import FILTERS
from tests.sim.gateway_rig import compact, sim_rig, straight

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "filters"
CASES = sorted(GOLDEN.glob("*/*.json"))
NOT_REFUSED = ("include-usage",)
"""rules that add to an answer instead of saving a request; they have tests of their own"""

_PREFIXES = {"/anthropic": ANTHROPIC_MESSAGES, "/openai": OPENAI_CHAT, "/gemini": GEMINI_GENERATE}
_STRAIGHT = {
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
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
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
