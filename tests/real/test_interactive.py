"""`moor opencode` in a real terminal: the agent's own interface on our wire, and a clean end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from tests.support import tui
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents) as made:
        yield made


@pytest.mark.feature("F7.1", "F3.22", "F8.6")
def test_a_person_has_a_test_mended_in_the_terminal(place: Workplace) -> None:
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Please mend it, sim:fix-test")
        window.wait_for("the three tests pass", 60)
        session = place.session()
        assert tui.leave(window) == 0
    ended = place.assert_clean_end()
    assert ended.id == session.id
    mended = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "-q"], cwd=place.repository, capture_output=True, check=False
    )
    assert mended.returncode == 0
    assert {call["model"] for call in place.model_calls()} == {session.model, session.small_model}
    assert session.model != session.small_model
    place.assert_ledger_equals_sim()


@pytest.mark.feature("F7.1")
def test_the_exit_code_is_the_agents_own(place: Workplace) -> None:
    bare = subprocess.run(
        [str(binary(place)), "run", "--no-such-option"],
        env={**place.environ, "OPENCODE_DISABLE_MODELS_FETCH": "1", "XDG_CONFIG_HOME": str(place.folder / "x")},
        cwd=place.repository,
        capture_output=True,
        check=False,
    )
    with place.window(AGENT, "run", "--no-such-option") as window:
        code = window.wait(30)
    assert code == bare.returncode != 0
    place.assert_clean_end()


def test_ctrl_c_in_a_tool_run_ends_the_agent_and_its_command(place: Workplace) -> None:
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Please wait, sim:run:sleep+4321")
        place.wait_for_process("sleep 4321")
        window.keys(tui.CTRL_C)
        code = window.wait(15)
    assert code in (0, 130)
    place.assert_clean_end()
    place.assert_ledger_equals_sim()


def test_a_closed_terminal_ends_agent_gateway_and_commands(place: Workplace) -> None:
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Please wait, sim:run:sleep+4322")
        place.wait_for_process("sleep 4322")
        window.hang_up()
        place.assert_clean_end()
    place.assert_ledger_equals_sim()


def test_ctrl_z_gives_the_shell_back_and_fg_the_agent(place: Workplace) -> None:
    with place.window(program=["bash", "--norc", "-i"]) as window:
        window.keys(f"PS1='shell> '; {sys.executable} -m moor {AGENT}{tui.ENTER}")
        tui.ready(window)
        tui.press_until(window, tui.CTRL_Z, "Stopped")
        window.keys(f"jobs -l{tui.ENTER}")
        window.wait_for(lambda screen: screen.count("Stopped") >= 2, 10)
        window.keys(f"fg{tui.ENTER}")
        tui.settle(window)
        tui.ready(window)
        tui.ask(window, "After the pause, sim:hello")
        window.wait_for("Hello from the simulated model", 30)
        tui.say_exit(window)
        window.wait_for("shell>", 15)
        window.keys(f"echo code $?{tui.ENTER}")
        window.wait_for("code 0", 10)
        window.keys(f"exit{tui.ENTER}")
        window.wait(10)
    place.assert_clean_end()
    place.assert_ledger_equals_sim()


def test_another_window_size_reaches_the_agent(place: Workplace) -> None:
    with place.window(AGENT, rows=30, cols=100) as window:
        tui.ready(window)
        window.wait_for(lambda screen: version_below(screen, place), 20)
        window.resize(44, 150)
        tui.ready(window)
        window.wait_for(lambda screen: any(len(line) > 140 for line in screen.splitlines()[-3:]), 10)
        assert tui.leave(window) == 0
    place.assert_clean_end()


def binary(place: Workplace) -> Path:
    """The installed agent's program."""
    return next((Path(place.environ["MOOR_TEST_AGENTS"]) / AGENT).glob("*/node_modules/*/bin/opencode"))


def version_below(screen: str, place: Workplace) -> bool:
    """The installed agent's version ends one of the last lines."""
    version = binary(place).parents[3].name
    return any(line.rstrip().endswith(version) for line in screen.splitlines()[-2:])
