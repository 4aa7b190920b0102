"""A Codex of the user's own on the stand-alone gateway: it takes the gateway's list of models for its metadata."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from moor.agents.codex.release import PINNED
from moor.sim.script.library import Library
from tests.sim.gateway_rig import SimRig, sim_rig
from tests.unit.gateway.rig import KEY

pytestmark = pytest.mark.real

MODEL = "system.ai.gpt-5-5"
CONFIG = """
model = "{model}"
model_provider = "gateway"
check_for_update_on_startup = false
[analytics]
enabled = false
[features]
plugins = false
apps = false
daemon_auto_start = false
[model_providers.gateway]
name = "The gateway"
base_url = "http://127.0.0.1:{port}/openai/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
[model_providers.gateway.auth]
command = "/bin/cat"
args = ["{key}"]
"""


async def run(program: Path, rig: SimRig, folder: Path) -> list[dict[str, Any]]:
    """`codex exec` to its end; what it printed."""
    home, repository, key = folder / "codex", folder / "repository", folder / "key"
    home.mkdir()
    repository.mkdir()
    key.write_text(KEY, encoding="utf-8")
    (home / "config.toml").write_text(CONFIG.format(model=MODEL, port=rig.port, key=key), encoding="utf-8")
    for name, text in Library.load().files("fix-test").items():
        (repository / name).write_text(text, encoding="utf-8")
    words = ("exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CODEX_HOME": str(home), "TMPDIR": str(folder)}
    codex = await asyncio.create_subprocess_exec(
        *(str(program), *words, "Fix the failing test, sim:fix-test"),
        cwd=repository,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await asyncio.wait_for(codex.communicate(), 60)
    assert codex.returncode == 0, out.decode()
    return [json.loads(line) for line in out.decode().splitlines()]


@pytest.mark.feature("F4.1")
def test_its_own_listing_spares_it_the_assumptions_about_unknown_models(
    sim: Any, tmp_path: Path, test_agents: Path
) -> None:
    folder = test_agents / "codex" / PINNED / "node_modules" / "@openai" / "codex" / "vendor"
    program = next(folder.glob("*/bin/codex"))

    async def scenario() -> None:
        async with sim_rig(sim, tmp_path, model=MODEL) as rig:
            events = await run(program, rig, tmp_path)
            assert "metadata" not in json.dumps([event for event in events if "error" in json.dumps(event)])
            items = [event["item"] for event in events if event["type"] == "item.completed"]
            assert {"command_execution", "file_change"} <= {item["type"] for item in items}
            assert "three tests pass" in items[-1]["text"]
            rows = await rig.rows(6)
            assert [(row.outcome, row.error) for row in rows] == [("ok", "")] * 6

    asyncio.run(scenario())
