"""The real OpenCode under moor: what it sees of the user, what it leaves, and how it is driven and ended."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from moor.agents.base import LaunchContext
from moor.agents.opencode import OPENCODE, PINNED
from moor.agents.opencode.driver import OpenCodeDriver
from moor.domain.dialects import OPENAI_CHAT
from moor.domain.event import PERMISSION, STATUS, TOOL_UPDATE, TURN_END, Event
from moor.domain.models import Model
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentStartFailed
from moor.launch.files import write_files
from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from moor.store.home import Home
from tests.support.opencode_context import make_context
from tests.support.workplace import Workplace, wait_until, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "look": """
about = "Writes down what a tool sees."

[[step]]
run = "git config user.name > seen.txt; printenv HOME XDG_CONFIG_HOME SHELL >> seen.txt"

[[step]]
run = "env | grep -c ^OPENCODE_ >> seen.txt"

[[step]]
say = "Seen."
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("opencode"), test_agents, SCRIPTS) as made:
        furnish(made.home.user)
        yield made


def furnish(home: Path) -> None:
    """A user who has OpenCode, Claude and git set up already."""
    files = {
        ".config/opencode/opencode.json": '{"model": "x/y", "plugin": ["./p.js"], "provider": {"x": {}}}',
        ".config/opencode/AGENTS.md": "RULES-MARKER-of-the-user",
        ".config/opencode/plugin/p.js": f'require("fs").writeFileSync("{home}/PLUGIN_RAN", "x"); export const P = 1',
        ".config/opencode/tui.json": '{"theme": "gruvbox"}',
        ".opencode/opencode.jsonc": json.dumps(
            {"mcp": {"m": {"type": "local", "command": ["touch", f"{home}/MCP_RAN"]}}}
        ),
        ".opencode/agent/mine.md": "---\ndescription: mine\nmode: subagent\n---\nBody",
        ".claude/CLAUDE.md": "rules of another agent",
        ".local/share/opencode/auth.json": '{"x": {"type": "api", "key": "k"}}',
        ".gitconfig": "[user]\n\tname = The User\n",
    }
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def tree(folder: Path) -> dict[str, str]:
    """Every path but moor's own with the hash of its content and its mode."""
    out = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] != ".moor":
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            out[name] = f"{path.lstat().st_mode:o} {content}"
    return out


@pytest.mark.feature("F5.2", "F3.22")
def test_home_and_repository_are_as_before(place: Workplace) -> None:
    home, repository = tree(place.home.user), tree(place.repository)
    place.must("run", "--json", "sim:echo-rules")
    place.must(OPENCODE.id, "run", "sim:hello")
    assert tree(place.home.user) == home
    after = tree(place.repository)
    assert {name: mark for name, mark in after.items() if not name.startswith(".git")} == {
        name: mark for name, mark in repository.items() if not name.startswith(".git")
    }


def test_the_users_own_rules_are_heard_and_their_programs_are_not(place: Workplace) -> None:
    done = place.must("run", "--json", "sim:echo-rules")
    assert "RULES-MARKER-of-the-user" in done.last_json["text"]
    for what in ("model", "provider.x", "plugin", "mcp.m"):
        assert what in done.stderr
    assert not list(place.home.user.glob("*_RAN"))


def test_a_tool_sees_the_users_own_environment(place: Workplace) -> None:
    done = place.moor(
        "run", "--json", "--preset", "full", "sim:look", env={"XDG_CONFIG_HOME": f"{place.home.user}/.config"}
    )
    assert done.code == 0, done.stderr
    seen = (place.repository / "seen.txt").read_text(encoding="utf-8").splitlines()
    assert seen == ["The User", str(place.home.user), f"{place.home.user}/.config", "/bin/bash", "1"]
    (place.repository / "seen.txt").unlink()


def test_both_models_are_on_the_wire_in_the_agents_own_interface(place: Workplace) -> None:
    before = len(place.model_calls())
    place.must(OPENCODE.id, "run", "sim:hello")
    assert len({call["model"] for call in place.model_calls()[before:]}) == 2
    session = place.session()
    assert {call["model"] for call in place.model_calls()[before:]} == {session.model, session.small_model}


@pytest.mark.parametrize(
    "prompt", ["sim:hello  two   spaces", 'sim:hello "quoted"\nline -x', "sim:hello version 1.0 of 007"]
)
def test_a_prompt_with_spaces_reaches_the_model_as_it_is(place: Workplace, prompt: str) -> None:
    place.must(OPENCODE.id, "run", prompt)
    sent = [seen["body_text"] for seen in place.sim.control.requests(bodies=True)[-4:]]
    assert any(json.dumps(prompt)[1:-1] in body for body in sent)


def test_agents_are_listed_with_what_is_tested(place: Workplace) -> None:
    row = place.must("agents", "--json").last_json[0]
    assert (row["agent"], row["installed"], row["tested"]) == (OPENCODE.id, PINNED, PINNED)


# the driver, straight on the simulator's engine


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedSim]:
    with EmbeddedSim(SimConfig(openai_engine=True)) as sim:
        yield sim


@pytest.fixture
def context(tmp_path: Path, engine: EmbeddedSim, test_agents: Path) -> LaunchContext:
    model = Model(id="sim-coder", family="sim", dialects=(OPENAI_CHAT,))
    home = Home(tmp_path / "moor")
    made = make_context(tmp_path, mode="server", gateway_url=engine.url)
    environ = {**made.environ, "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
    installed = OPENCODE.find(home, {"MOOR_TEST_AGENTS": str(test_agents)})
    return msgspec.structs.replace(
        made, model=model, small_model=model, models=(model,), environ=environ, installed=installed
    )


def planned(context: LaunchContext) -> LaunchPlan:
    """The plan, written, on the engine's own path instead of the gateway's."""
    plan = OPENCODE.plan(context)
    files = tuple(
        msgspec.structs.replace(file, content=file.content.replace(b"/openai/v1", b"/v1")) for file in plan.files
    )
    env = {name: value.replace("/openai/v1", "/v1") for name, value in plan.env.items()}
    plan = msgspec.structs.replace(plan, files=files, env=env)
    write_files(plan, context.session_home)
    return plan


async def started(context: LaunchContext) -> OpenCodeDriver:
    driver = OpenCodeDriver(context)
    await driver.start(planned(context))
    return driver


async def turn(driver: OpenCodeDriver, prompt: str) -> list[Event]:
    await driver.prompt(prompt)
    events = []
    async for event in driver.events():
        events.append(event)
        if event.kind == PERMISSION:
            await driver.answer(event.id, True)
    return events


def server_pid(context: LaunchContext) -> int:
    path = context.installed.path.encode()

    def look() -> int | None:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    mine = str(context.session_home).encode() in (entry / "environ").read_bytes()
                    if mine and (entry / "cmdline").read_bytes().startswith(path):
                        return int(entry.name)
                except OSError:
                    continue
        return None

    return wait_until(look, "no server")


@pytest.mark.feature("F12.1", "F12.4", "F12.5")
def test_two_turns_of_one_session_are_told_apart(context: LaunchContext) -> None:
    async def main() -> None:
        driver = await started(context)
        try:
            first, second = await turn(driver, "sim:turns:2"), await turn(driver, "sim:hello")
        finally:
            await driver.close()
        assert first[-1].text == "(simulated) All 2 turns are done."
        assert sum(event.kind == TOOL_UPDATE and event.status == "completed" for event in first) == 2
        assert second[-1].text == "Hello from the simulated model."
        assert not any(event.kind == TOOL_UPDATE for event in second)

    asyncio.run(main())


@pytest.mark.feature("F12.8")
def test_cancelling_ends_the_turn_and_its_command(context: LaunchContext) -> None:
    async def main() -> None:
        driver = await started(context)
        try:
            await begin(driver, "sim:run:sleep+4441", "sleep 4441")
            await driver.cancel()
            rest = [event async for event in driver.events()]
        finally:
            await driver.close()
        assert (rest[-1].kind, rest[-1].status) == (TURN_END, "cancelled")
        assert "sleep 4441" not in commands()

    asyncio.run(main())


async def begin(driver: OpenCodeDriver, prompt: str, command: str) -> None:
    """Prompt, allow the command, and wait until it runs."""
    await driver.prompt(prompt)
    async for event in driver.events():
        if event.kind == PERMISSION:
            await driver.answer(event.id, True)
            break
    await asyncio.to_thread(wait_until, lambda: command in commands(), f"no {command}", 10)


@pytest.mark.feature("F12.11")
def test_closing_in_the_middle_takes_the_command_along(context: LaunchContext) -> None:
    async def main() -> None:
        driver = await started(context)
        try:
            await begin(driver, "sim:run:sleep+4442", "sleep 4442")
        finally:
            began = time.monotonic()
            await driver.close()
            await driver.close()
        assert time.monotonic() - began < 5
        assert "sleep 4442" not in commands()

    asyncio.run(main())


def test_a_killed_server_is_noticed(context: LaunchContext) -> None:
    async def main() -> None:
        driver = await started(context)
        try:
            await driver.prompt("sim:turns:50:0.3")
            with pytest.raises(AgentGone):
                await kill_at_the_first_sign(driver, context)
        finally:
            await driver.close()

    asyncio.run(main())


async def kill_at_the_first_sign(driver: OpenCodeDriver, context: LaunchContext) -> None:
    async for event in driver.events():
        if event.kind == STATUS:
            os.kill(server_pid(context), signal.SIGKILL)


def test_a_program_that_ends_at_once_is_told_with_its_words(context: LaunchContext, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho the disk is on fire\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    plan = planned(context)
    for argv, words in (((str(broken),), "on fire"), ((str(tmp_path / "none"),), "none")):
        with pytest.raises(AgentStartFailed) as caught:
            asyncio.run(OpenCodeDriver(context).start(msgspec.structs.replace(plan, argv=argv)))
        assert words in str(caught.value)


def test_a_configuration_it_refuses_is_told(context: LaunchContext) -> None:
    plan = planned(context)
    env = {**plan.env, "OPENCODE_CONFIG_CONTENT": '{"permission": {"question": {"*": "ask"}}}'}
    with pytest.raises(AgentStartFailed, match="refuses its configuration"):
        asyncio.run(OpenCodeDriver(context).start(msgspec.structs.replace(plan, env=env)))
    assert "opencode serve" not in commands() or str(context.session_home) not in commands()


def commands() -> str:
    """Commands of all processes, a line each."""
    out = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                out.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
            except OSError:
                continue
    return "\n".join(out)
