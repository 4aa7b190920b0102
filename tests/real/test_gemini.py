"""The real Gemini CLI under moor, beyond what holds for every agent: tools, questions, sub-agents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.gemini import GEMINI
from moor.domain.result import COMPLETED, FAILED
from tests.support.moor import Done
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "look": """
about = "Writes down what a tool sees."

[[step]]
run = "env | sort > seen.txt"

[[step]]
say = "Seen."
""",
    "overwrite": """
about = "Writes a file that Gemini CLI cannot see."

[[step]]
write = ".gemini/settings.json"
content = "{}"

[[step]]
say = "The tool said: {result}"
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("gemini"), test_agents, SCRIPTS) as made:
        yield made


def run(place: Workplace, *argv: str) -> Done:
    return place.moor("run", "--agent", GEMINI.id, "--json", *argv)


def answered(done: Done) -> list[tuple[str, str]]:
    """Each permission and its answer."""
    return [(one["what"], one["answer"]) for one in done.last_json["auto_answered"]]


def test_a_tool_sees_the_users_own_environment_and_no_key(place: Workplace) -> None:
    done = run(place, "--preset", "full", "sim:look")
    assert done.code == 0, done.stderr
    seen = (place.repository / "seen.txt").read_text(encoding="utf-8").splitlines()
    (place.repository / "seen.txt").unlink()
    assert f"HOME={place.home.user}" in seen
    assert f"TMPDIR={place.environ['TMPDIR']}" in seen
    names = {line.partition("=")[0] for line in seen}
    assert names & {"GEMINI_API_KEY", "GEMINI_CLI_HOME", "GOOGLE_GEMINI_BASE_URL", "NODE_OPTIONS"} == set()


@pytest.mark.parametrize(("preset", "answer"), [("read", "denied"), ("full", "allowed")])
def test_a_command_that_it_takes_for_safe_is_asked_for_too(place: Workplace, preset: str, answer: str) -> None:
    (place.home.user / "private.txt").write_text("PRIVATE\n", encoding="utf-8")
    command = f"cat {place.home.user}/private.txt"
    done = run(place, "--preset", preset, f"sim:run:{command.replace(' ', '+')}")
    assert answered(done) == [(f"run_shell_command: {command}", answer)], done.stderr


def test_reading_is_asked_for_so_that_rules_of_the_users_hold(place: Workplace) -> None:
    done = run(place, "--deny", "read:*.py", "sim:fix-test")
    assert ("read_file: pricing.py", "denied") in answered(done), done.stderr
    place.git("checkout", "-q", ".")


def test_a_hidden_file_is_not_overwritten(place: Workplace) -> None:
    theirs = place.repository / ".gemini" / "settings.json"
    theirs.parent.mkdir()
    theirs.write_text('{"ui": {}}', encoding="utf-8")
    done = run(place, "--preset", "full", "sim:overwrite")
    assert theirs.read_text(encoding="utf-8") == '{"ui": {}}', done.stdout
    theirs.unlink()
    theirs.parent.rmdir()


@pytest.mark.feature("F17.7")
def test_rules_that_are_a_link_out_of_the_project_are_not_heard(place: Workplace) -> None:
    (place.home.user / "private.md").write_text("RULES-MARKER-of-a-private-file\n", encoding="utf-8")
    (place.repository / "inside.md").write_text("RULES-MARKER-of-the-project\n@./private.md\n", encoding="utf-8")
    (place.repository / "private.md").symlink_to(place.home.user / "private.md")
    (place.repository / "GEMINI.md").symlink_to("inside.md")
    done = run(place, "sim:echo-rules")
    for name in ("GEMINI.md", "private.md", "inside.md"):
        (place.repository / name).unlink()
    assert "RULES-MARKER-of-the-project" in done.last_json["text"], done.stdout
    assert "RULES-MARKER-of-a-private-file" not in place.sim.control.requests(bodies=True)[-1]["body_text"]


@pytest.mark.feature("F12.25", "F8.9")
def test_a_sub_agent_reads_and_asks_nothing_and_is_accounted_for(place: Workplace) -> None:
    used = place.used() if place.sessions() else ({}, {})
    done = run(place, "sim:spawn:fix-test")
    result: dict[str, Any] = done.last_json
    assert (done.code, result["status"]) == (0, COMPLETED), done.stderr
    assert "denied by policy" in result["text"]
    assert place.git("status", "--porcelain") == ""
    place.assert_ledger_equals_sim(since=used)
    assert len(place.model_calls()) >= 7
    place.assert_clean_end()


@pytest.mark.feature("F12.27")
def test_an_answer_that_is_none_is_no_success(place: Workplace) -> None:
    done = run(place, "sim:empty-answer")
    assert (done.code, done.last_json["status"]) == (1, FAILED), done.stdout
    assert "no answer" in done.last_json["error"]["message"]


def test_a_prompt_that_looks_like_one_of_its_commands_is_for_the_model(place: Workplace) -> None:
    done = run(place, "/extensions install sim:hello")
    assert done.last_json["text"] == "Hello from the simulated model.", done.stdout


@pytest.mark.feature("F4.8", "F4.9")
def test_effort_and_output_limit_are_on_the_wire(place: Workplace) -> None:
    place.must("--effort", "low", GEMINI.id, "-p", "sim:hello")
    body = place.sim.control.requests(bodies=True)[-1]["body_text"]
    assert '"thinkingLevel":"LOW"' in body or '"thinkingBudget":1024' in body
    assert '"maxOutputTokens"' in body


@pytest.mark.feature("F12.7")
def test_a_conversation_is_carried_to_its_own_home_and_back(place: Workplace) -> None:
    place.must(GEMINI.id, "-p", "sim:hello the first words")
    place.wait_gone()
    place.must("session", "export", "--agent", GEMINI.id, "--to-agent-home")
    shutil.rmtree(place.store.root / "homes" / GEMINI.id)
    place.must("session", "import", "--agent", GEMINI.id)
    place.must(GEMINI.id, "--resume", "latest", "-p", "sim:hello again")
    body = place.sim.control.requests(bodies=True)[-1]["body_text"]
    assert "the first words" in body
    shutil.rmtree(place.home.user / ".gemini")


@pytest.mark.full
@pytest.mark.timeout(120)
@pytest.mark.feature("F3.15")
def test_signs_of_life_do_not_break_its_reader(tmp_path: Path, test_agents: Path) -> None:
    with workplace(tmp_path, test_agents, first_byte_s=17.0) as slow:
        done = run(slow, "sim:hello")
        assert done.last_json["text"] == "Hello from the simulated model.", done.stdout + done.stderr
