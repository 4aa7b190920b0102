"""Qwen Code where it differs: it refuses a bare sleep, asks for few commands by itself, and knows trusted folders."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import tui
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

AGENT = "qwen"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp(AGENT), test_agents) as made:
        yield made


def test_a_closed_terminal_ends_agent_gateway_and_commands(place: Workplace) -> None:
    with place.window(AGENT) as window:
        window.wait_for("Type your message", 60)
        tui.settle(window)
        window.keys("Please wait, sim:run:tail+-f+/dev/null")
        window.wait_for("/dev/null", 20)
        tui.settle(window)
        window.keys(tui.ENTER)
        window.wait_for("Allow execution of", 30)
        tui.settle(window)
        window.keys(tui.ENTER)
        place.wait_for_process("tail -f")
        window.hang_up()
        place.assert_clean_end()


@pytest.mark.feature("F12.8")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_in_a_command_leaves_nothing(place: Workplace, how: signal.Signals) -> None:
    words = ("run", "--agent", AGENT, "--preset", "full", "--json", "Please wait, sim:run:tail+-f+/dev/null")
    with place.background(*words) as run:
        place.wait_for_process("tail -f")
        run.send_signal(how)
        run.communicate(timeout=15)
    assert run.returncode == (130 if how == signal.SIGINT else -how)
    place.assert_clean_end()


@pytest.mark.feature("F17.10")
def test_the_preset_read_holds_for_commands_that_it_takes_for_harmless(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "read", "--json", "sim:run:cat+/etc/hostname")
    assert [one["answer"] for one in done.last_json["auto_answered"]] == ["denied"]


@pytest.mark.feature("F17.10")
def test_sub_agents_which_ask_nobody_are_denied(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "edit", "--json", "sim:spawn:fix-test")
    assert done.last_json["changed_files"] == []
    assert [one["answer"] for one in done.last_json["auto_answered"]] == ["denied"]


@pytest.mark.feature("F17.5")
def test_its_tools_do_not_see_the_key(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "full", "--json", "sim:run:printenv")
    assert "moor-" not in done.last_json["text"]


@pytest.mark.feature("F17.7")
def test_a_repository_with_variables_is_not_trusted_and_its_rules_are_heard(place: Workplace) -> None:
    (place.repository / ".env").write_text("X=1\n", encoding="utf-8")
    (place.repository / "QWEN.md").write_text("Mind RULES-MARKER-of-the-repository\n", encoding="utf-8")
    done = place.must("run", "--agent", AGENT, "--json", "sim:echo-rules")
    assert "RULES-MARKER-of-the-repository" in done.last_json["text"]
    assert "left out  variables of .env" in done.stderr
