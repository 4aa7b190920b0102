"""Real agents on vendors' own APIs (played by the simulator's surfaces), and fallbacks from one to another."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.sim import switches as s
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

VARIABLE = "VENDOR_KEY"
VENDORS = {
    # agent: kind, base URL below the simulator, model
    "claude": ("anthropic", "/ai-gateway/anthropic", "system.ai.claude-sonnet-5"),
    "codex": ("openai", "/ai-gateway/codex/v1", "system.ai.gpt-5-6-sol"),
    "gemini": ("gemini", "/ai-gateway/gemini", "system.ai.gemini-3-5-flash"),
}


LENIENT = dict.fromkeys(
    (
        *(s.UNKNOWN_BETAS, s.UNKNOWN_KEYS, s.CONTEXT_MANAGEMENT, s.OUTPUT_CONFIG, s.CLIENT_METADATA),
        *(s.ADAPTIVE_THINKING, s.SYSTEM_ROLE, s.NAMESPACE_TOOLS, s.HOSTED_WEB_SEARCH, s.GEMINI_ADDITIONAL_PROPERTIES),
    ),
    True,
)
"""a vendor's own API knows what its own agent sends"""


def add_vendor(place: Workplace, name: str, agent: str, url: str = "") -> str:
    """Set the vendor up as an upstream; the model."""
    kind, path, model = VENDORS[agent]
    place.environ[VARIABLE] = place.credentials()[0]
    place.must(
        *("upstream", "add", name, "--kind", kind, "--base-url", (url or place.sim.url) + path),
        *("--auth", "bearer", "--api-key-env", VARIABLE, "--models", model),
    )
    return model


@pytest.mark.feature("F4.12")
@pytest.mark.parametrize("agent", VENDORS)
def test_an_agent_works_on_a_vendors_own_api_and_never_sees_its_key(
    agent: str, tmp_path: Path, test_agents: Path
) -> None:
    with workplace(tmp_path, test_agents, switches=LENIENT) as place:
        model = add_vendor(place, "vendor", agent)
        asked = ("run", "--agent", agent, "--upstream", "vendor", "--json")
        done = place.moor(*asked, "sim:run:env", timeout=120)
        assert done.code == 0, done.stderr
        assert done.last_json["model"] == model
        assert place.environ[VARIABLE] not in done.stdout
        rows = place.must("usage", "--by", "upstream", "--json").last_json
        assert [row["upstream"] for row in rows] == ["vendor"]


@pytest.mark.feature("F3.10")
def test_a_fallback_at_another_upstream_answers_where_the_first_cannot_be_reached(
    tmp_path: Path, test_agents: Path
) -> None:
    with workplace(tmp_path, test_agents) as place:
        model = add_vendor(place, "vendor", "claude")
        place.must("config", "set", "upstreams.vendor.base_url", "http://127.0.0.1:9/ai-gateway/anthropic")
        place.must("config", "set", "agents.claude.fallback", "s/system.ai.claude-haiku-4-5")
        done = place.moor("run", "--agent", "claude", "--upstream", "vendor", "--json", "sim:hello", timeout=120)
        assert done.code == 0, done.stderr
        used = {row["model"] for row in place.must("usage", "--by", "model", "--json").last_json}
        assert "system.ai.claude-haiku-4-5" in used
        assert place.session().model == model
        rows = place.must("usage", "--by", "upstream,model", "--json").last_json
        assert ("s", "system.ai.claude-haiku-4-5") in {(row["upstream"], row["model"]) for row in rows}
        (instead,) = [one for one in done.last_json["instead"] if one["asked"] == model]
        assert (instead["model"], instead["upstream"]) == ("system.ai.claude-haiku-4-5", "s")
        assert instead["calls"] >= 1
        assert f"answered by system.ai.claude-haiku-4-5 of s instead of {model}" in done.stderr
