"""A long turn over many short tokens: the real agent never learns that they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.domain.result import COMPLETED
from tests.support.workplace import workplace

pytestmark = pytest.mark.real

LIFE_S = 5


@pytest.mark.timeout(240)
@pytest.mark.feature("F2.1", "F2.2", "F2.8", "F12.3")
def test_thirty_tool_turns_outlive_six_tokens(tmp_path: Path, test_agents: Path) -> None:
    with workplace(tmp_path, test_agents, token_ttl_s=LIFE_S) as place:
        done = place.moor("run", "--json", "Please go on, sim:turns:30:1.0", timeout=200)
        result = done.last_json
        assert (done.code, result["status"]) == (0, COMPLETED), done.stderr
        assert result["tool_calls"] == 30
        place.assert_clean_end()
        calls = place.model_calls()
        assert len(calls) >= 31
        assert len({call["token_generation"] for call in calls}) >= 6
        assert [call for call in calls if call["status"] != 200] == [], "the agent itself must not see one"
        counts = place.sim.control.tokens()
        assert counts["refreshes"] >= 6
        assert (counts["refresh_presented_twice"], counts["families_revoked"]) == (0, 0)
        place.assert_ledger_equals_sim()
