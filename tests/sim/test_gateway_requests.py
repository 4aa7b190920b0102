"""Requests of the real agents, recorded and trimmed: the strict workspace takes each of them through the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from moor.domain.call import OK
from tests.sim.gateway_rig import compact, sim_rig, straight
from tests.sim.test_gateway_filters import workspace_path

CASES = sorted((Path(__file__).resolve().parent.parent / "golden" / "requests").glob("*/*.json"))


@pytest.mark.feature("F3.8")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_an_agents_own_request_is_taken_with_the_rules_that_it_needs_and_no_other(
    case: Path, sim: Any, tmp_path: Path
) -> None:
    recorded = json.loads(case.read_text(encoding="utf-8"))
    body, headers, rules = compact(recorded["body"]), recorded["headers"], tuple(recorded["rules"])

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path) as rig:
            bare = await straight(rig, workspace_path(recorded["path"]), body, headers)
            assert bare.status == (400 if rules else 200), bare.text
            answer = await rig.ask(recorded["path"], body, headers)
            assert answer.status == 200, answer.text
            (row,) = await rig.rows(1)
            assert (row.outcome, row.rules) == (OK, rules)
            arrived = (await rig.control("requests"))[-1]["body_sha256"]
            assert (arrived == hashlib.sha256(body).hexdigest()) == (not rules)

    asyncio.run(scenario())
