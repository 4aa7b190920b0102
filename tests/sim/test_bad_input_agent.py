"""An agent that is not there, too new, broken, or cannot be fetched: exit code 5, with the command to type."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT
from tests.support.home import MoorHome
from tests.support.moor import Done
from tests.support.trouble import assert_result, assert_told

Run = Callable[..., Done]


@pytest.fixture
def moor(run_moor: Run, moor_home: MoorHome) -> Run:
    """The command, with an upstream whose models are known and no agent anywhere."""
    moor_home.environ.pop("MOOR_TEST_AGENTS", None)
    done = run_moor("upstream", "add", "s", "--kind", "sim")
    assert done.code == 0, done.stderr
    return run_moor


def place_agent(folder: Path, version: str, text: str) -> str:
    """A program in the place of the agent's; returns the folder for MOOR_TEST_AGENTS."""
    name = DEFAULT_AGENT
    program = folder / "agents" / name / version / "node_modules" / f"{name}-linux-x64" / "bin" / name
    program.parent.mkdir(parents=True)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o700)
    return str(folder / "agents")


def path_without_npm(folder: Path) -> str:
    """A PATH with the shell's tools and no npm."""
    tools = folder / "bin"
    tools.mkdir()
    for name in ("sh", "git", "env", "uname", "ldd"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    return str(tools)


@pytest.mark.feature("F12.27", "F6.11")
def test_without_npm_the_way_to_it_is_told(moor: Run, tmp_path: Path, moor_home: MoorHome) -> None:
    done = moor("run", "--json", "hello", env={"PATH": path_without_npm(tmp_path)})
    assert_told(done, 5, "agent-install", "npm is not on PATH", "install Node.js")
    assert_result(done, "failed", "agent-install")
    assert not list((moor_home.root / "agents").rglob("bin"))


@pytest.mark.feature("F6.11")
def test_a_registry_that_cannot_be_reached_is_told(moor: Run, moor_home: MoorHome) -> None:
    quick = {"npm_config_fetch_retry_mintimeout": "10", "npm_config_fetch_retry_maxtimeout": "20"}
    done = moor("run", "--json", "hello", env={"npm_config_registry": "http://127.0.0.1:9/", **quick}, timeout=110)
    assert_told(done, 5, "agent-install", "the npm registry cannot be reached", "npm config get registry")
    assert_result(done, "failed", "agent-install")
    assert not list((moor_home.root / "agents").rglob("bin"))


@pytest.mark.feature("F6.12")
@pytest.mark.parametrize("version", ["0.9.0", "9.9.9"])
def test_a_version_outside_the_window_is_refused(version: str, moor: Run, tmp_path: Path) -> None:
    agents = place_agent(tmp_path, version, "#!/bin/sh\nexit 0\n")
    done = moor("run", "--json", "hello", env={"MOOR_TEST_AGENTS": agents})
    assert_told(done, 5, "agent-version", version, f"moor agents install {DEFAULT_AGENT}")
    assert_result(done, "failed", "agent-version")


BROKEN: dict[str, str] = {
    "ends at once": "#!/bin/sh\necho no luck today >&2\nexit 7\n",
    "is no program": "this is text\n",
    "has a lost interpreter": "#!/not/there\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_program_that_does_not_start_is_told_and_nothing_is_left(
    how: str, moor: Run, tmp_path: Path, moor_home: MoorHome
) -> None:
    agents = place_agent(tmp_path, "1.18.33", BROKEN[how])
    done = moor("run", "--json", "hello", env={"MOOR_TEST_AGENTS": agents})
    assert_told(done, 1, "agent-start", f"moor agents install {DEFAULT_AGENT}")
    result = assert_result(done, "failed", "agent-start")
    assert ("no luck today" in result["error"]["message"]) == (how == "ends at once")
    assert not list((moor_home.root / "sessions").iterdir())
    assert moor("ps", "--json").stdout.strip() in ("[]", "")


def test_an_agent_that_is_switched_off_is_not_started(moor: Run, tmp_path: Path) -> None:
    agents = place_agent(tmp_path, "1.18.33", "#!/bin/sh\nexit 0\n")
    assert moor("config", "set", f"agents.{DEFAULT_AGENT}.enabled", "false").code == 0
    done = moor("run", "--json", "hello", env={"MOOR_TEST_AGENTS": agents})
    assert_told(done, 2, "agent-disabled", f"moor agents enable {DEFAULT_AGENT}")


PROMPTS: dict[str, tuple[list[str], str | None, str]] = {
    "no prompt": ([], None, "prompt-missing"),
    "an empty prompt": ([""], None, "prompt-missing"),
    "a prompt of blanks": (["  \n\t "], None, "prompt-missing"),
    "an empty pipe": (["-"], "", "prompt-missing"),
    "a pipe of blanks": ([], " \n \n", "prompt-missing"),
    "too much in the pipe": (["-"], "x" * (8 * 1024 * 1024 + 1), "wrong-use"),
}


@pytest.mark.feature("F12.3")
@pytest.mark.parametrize("case", PROMPTS)
def test_a_prompt_that_is_none_is_refused_before_anything_starts(
    case: str, moor: Run, tmp_path: Path, moor_home: MoorHome
) -> None:
    words, stdin, ref = PROMPTS[case]
    agents = place_agent(tmp_path, "1.18.33", "#!/bin/sh\nexit 0\n")
    done = moor("run", "--json", *words, stdin=stdin, env={"MOOR_TEST_AGENTS": agents})
    assert_told(done, 2, ref)
    assert_result(done, "failed", ref)
    assert not (moor_home.root / "sessions").exists()
