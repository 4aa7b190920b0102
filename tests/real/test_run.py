"""`moor run` with the real OpenCode on the simulator: what it does, denies, prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents import DEFAULT_AGENT
from moor.domain.result import COMPLETED, FAILED, TIMEOUT
from tests.support.moor import run_moor_process
from tests.support.workplace import TOKENS, Workplace, last_json, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "busy": """
about = "Reads, writes and runs, so that every kind of step is shown."

[[step]]
say = "I look."
read = "pricing.py"

[[step]]
write = "notes.txt"
content = "one\\n"

[[step]]
run = "echo two >> notes.txt && cat notes.txt"

[[step]]
say = "All is well: \\u001b[31mred\\u0007 text."
""",
    "escape": """
about = "Tries a row of ways out of the work tree."

[[step]]
run = "cd .. && touch escaped-1"

[[step]]
run = "bash -c 'echo x > ../escaped-2'"

[[step]]
run = "ln -s .. up"

[[step]]
write = "up/escaped-3"
content = "x"

[[step]]
write = ".git/hooks/pre-commit"
content = "#!/bin/sh"

[[step]]
run = "sleep 0; git reset --hard HEAD"

[[step]]
say = "Done."
""",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("run"), test_agents, SCRIPTS) as made:
        yield made


@pytest.fixture
def place(shared: Workplace) -> Iterator[Workplace]:
    """The same user in a clean tree; afterwards nothing of the run is left."""
    shared.git("reset", "-q", "--hard")
    shared.git("clean", "-qfd")
    yield shared
    if shared.sessions():
        shared.assert_clean_end()


@pytest.mark.feature("F12.1", "F12.3", "F12.6", "F8.9")
def test_a_failing_test_is_mended_and_the_result_says_what_happened(place: Workplace) -> None:
    done = place.must("run", "--json", "please mend the failing test, sim:fix-test")
    result = last_json(done.stdout)
    assert done.stdout.count("\n") == 1
    assert result["status"] == COMPLETED
    assert result["changed_files"] == ["pricing.py"]
    assert result["tool_calls"] >= 4
    assert "pricing.py" in result["text"]
    assert result["error"] is None
    assert (result["agent"], result["session"]) == (DEFAULT_AGENT, place.session().id)
    subprocess.run(["python3", "-B", "-m", "unittest", "-q"], cwd=place.repository, check=True, capture_output=True)
    row = place.must("usage", "--session", result["session"], "--by", "session", "--json").last_json[0]
    assert {name: result["tokens"][name] for name in TOKENS} == {name: row[name] for name in TOKENS}
    assert result["cost_usd"] == pytest.approx(row["cost_usd"])
    place.assert_ledger_equals_sim()


@pytest.mark.feature("F17.10")
def test_destructive_commands_are_denied_and_listed(place: Workplace) -> None:
    victim = place.folder / "moor-simulated-victim"
    victim.mkdir()
    (victim / "file").write_text("dear", encoding="utf-8")
    result = place.must("run", "--json", "sim:destructive").last_json
    denied = {
        one["what"].partition(": ")[2].split()[0]: one for one in result["auto_answered"] if one["answer"] == "denied"
    }
    assert set(denied) == {"rm", "npm", "git"}
    assert all(one["rule"].startswith("preset edit: ") for one in denied.values())
    assert (victim / "file").read_text(encoding="utf-8") == "dear"
    assert result["status"] == COMPLETED


def test_no_way_out_of_the_work_tree_is_left_open(place: Workplace) -> None:
    head = place.git("rev-parse", "HEAD")
    (place.repository / "pricing.py").write_text("# work of the user\n", encoding="utf-8")
    result = place.must("run", "--json", "sim:escape").last_json
    assert result["status"] == COMPLETED
    assert not list(place.folder.glob("escaped*"))
    assert not (place.repository / ".git/hooks/pre-commit").exists()
    assert (place.repository / "pricing.py").read_text(encoding="utf-8") == "# work of the user\n"
    assert place.git("rev-parse", "HEAD") == head
    assert sum(one["answer"] == "denied" for one in result["auto_answered"]) >= 5


def test_a_write_outside_needs_a_rule_of_the_users(place: Workplace) -> None:
    outside = place.folder / "moor-simulated-outside.txt"
    place.must("run", "--json", "sim:write-outside")
    assert not outside.exists()
    result = place.must("run", "--json", "--allow", f"write:{place.folder}/*.txt", "sim:write-outside").last_json
    assert outside.read_text(encoding="utf-8")
    assert any(one["rule"].startswith("--allow") for one in result["auto_answered"])
    outside.unlink()


def test_the_preset_read_changes_nothing(place: Workplace) -> None:
    result = place.must("run", "--json", "--preset", "read", "sim:write-file").last_json
    assert result["changed_files"] == []
    assert not (place.repository / "simulated.txt").exists()


def test_secrets_in_env_files_are_not_read(place: Workplace) -> None:
    (place.repository / ".env").write_text("TOKEN=topsecret\n", encoding="utf-8")
    place.must("run", "--json", "sim:secret-file")
    bodies = str(place.sim.control.requests(bodies=True))
    assert "topsecret" not in bodies


@pytest.mark.feature("F13.2", "F13.4")
def test_a_question_is_answered_at_once_and_the_work_goes_on(place: Workplace) -> None:
    result = place.must("run", "--json", "--timeout", "40", "sim:ask").last_json
    assert result["status"] == COMPLETED
    assert [one["answer"] for one in result["auto_answered"] if one["kind"] == "question"] == ["rejected"]
    assert "Decide by yourself" in result["text"]


def test_the_answer_is_on_stdout_and_the_steps_on_stderr(place: Workplace) -> None:
    done = place.must("run", "sim:busy")
    assert done.stdout == "All is well: [31mred text.\n"
    steps = [line for line in done.stderr.splitlines() if line.startswith("✓")]
    assert [step.split()[1] for step in steps] == ["read", "write", "bash"]
    assert "changed: notes.txt" in done.stderr
    assert "\x1b" not in done.stderr
    quiet = place.must("run", "-q", "sim:hello")
    assert (quiet.stdout, quiet.stderr) == ("Hello from the simulated model.\n", "")


def test_a_prompt_comes_from_stdin_as_it_is(place: Workplace) -> None:
    prompt = 'line one: "quotes", $HOME, `date`\n\tsim:hello — ünïcödé\n'
    done = run_moor_process(["run", "--json", "-"], place.environ, cwd=place.repository, stdin=prompt)
    assert done.last_json["status"] == COMPLETED
    sent = [seen["body_text"] for seen in place.sim.control.requests(bodies=True) if seen["model"]]
    assert json.dumps(prompt, ensure_ascii=False)[1:-1] in sent[-1]


def test_an_empty_prompt_is_a_wrong_use(place: Workplace) -> None:
    done = run_moor_process(["run"], place.environ, cwd=place.repository, stdin=" \n")
    assert done.code == 2
    assert "moor run" in done.stderr


@pytest.mark.feature("F12.9")
def test_a_run_ends_at_its_time(place: Workplace) -> None:
    done = place.moor("run", "--json", "--timeout", "6", "sim:stall")
    assert done.code == 1
    assert done.last_json["status"] == TIMEOUT
    assert done.last_json["error"]["ref"] == "run-timeout"


def test_a_model_error_that_looks_like_success_is_a_failure(place: Workplace) -> None:
    done = place.moor("run", "--json", "sim:refusal")
    assert done.code == 1
    assert done.last_json["status"] == FAILED
    assert done.last_json["error"]["message"]


@pytest.mark.feature("F12.25")
def test_a_sub_agents_calls_are_counted_and_its_words_are_not_the_answer(place: Workplace) -> None:
    before = place.used()
    result = place.must("run", "--json", "sim:spawn").last_json
    assert result["status"] == COMPLETED
    assert result["text"].startswith("(simulated) The sub-agent reported")
    place.assert_ledger_equals_sim(since=before)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--allow", "git push"],
        ["--preset", "yolo"],
        ["--agent", "nobody"],
        ["--model", "no-such-model"],
        ["--timeout", "soon"],
        ["--cwd", "/no/such/folder"],
        ["--tag", "x"],
    ],
)
def test_wrong_use_ends_with_2_before_anything_starts(place: Workplace, wrong: list[str]) -> None:
    calls = len(place.model_calls())
    done = place.moor("run", *wrong, "sim:hello")
    assert done.code == 2
    assert "error:" in done.stderr
    assert len(place.model_calls()) == calls


def test_another_folder_is_worked_in_and_named(place: Workplace, tmp_path: Path) -> None:
    result = place.must("run", "--json", "--cwd", str(tmp_path), "sim:write-file").last_json
    assert result["changed_files"] == ["simulated.txt"]
    assert (tmp_path / "simulated.txt").exists()
    assert place.git("status", "--porcelain") == ""


def test_dry_run_starts_nothing_and_shows_no_secret(place: Workplace) -> None:
    calls = len(place.sim.control.requests())
    done = place.must("run", "--dry-run", "--json", "sim:hello")
    plan: dict[str, Any] = done.last_json
    assert "serve" in plan["argv"]
    assert len(place.sim.control.requests()) == calls
    assert not any(secret in done.stdout for secret in place.credentials())
