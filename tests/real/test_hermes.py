"""The real Hermes under moor: that its presets hold, what its commands see, what it gets of the user's own."""

from __future__ import annotations

import concurrent.futures
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.agents.hermes.release import ID
from moor.store.home import Home
from tests.real.every.station import installed
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "sneak": """
about = "Writes where it may not, by the file tool and by a command."

[[step]]
write = "../outside-NAME.txt"
content = "x"

[[step]]
run = "touch ../outside-NAME-2.txt"

[[step]]
say = "Sneaked."
""",
    "roam": """
about = "Works inside, tries the outside by itself and by a sub-agent, and writes down what its commands see."

[[step]]
write = "inside.txt"
content = "x"

[[step]]
run = "rm -rf inside.txt"

[[step]]
write = "inside.txt"
content = "x"

[[step]]
run = "cd /; touch moor-was-here"

[[step]]
run = "printenv HOME > seen.txt; git config user.name >> seen.txt; env | grep -c -i -e api_key -e moor- >> seen.txt"

[[step]]
spawn = "Please do this simulated task: sim:sneak"

[[step]]
write = "../outside-own.txt"
content = "x"

[[step]]
say = "Roamed."
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp(ID)
    installed(ID, test_agents, Home(folder / "none"))
    scripts = {name: text.replace("NAME", name) for name, text in SCRIPTS.items()}
    with workplace(folder, test_agents, scripts) as made:
        made.home.user.joinpath(".gitconfig").write_text("[user]\n\tname = The User\n", encoding="utf-8")
        yield made


def run(place: Workplace, *argv: str) -> dict[str, Any]:
    """A run that completes."""
    result: dict[str, Any] = place.must("run", "--agent", ID, "--json", *argv, timeout=90).last_json
    return result


def answers(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Tool and answer of each permission, in order."""
    return [(one["what"].partition(":")[0], one["answer"]) for one in result["auto_answered"]]


@pytest.mark.feature("F13.1", "F6.5")
def test_the_preset_read_changes_and_runs_nothing(place: Workplace) -> None:
    before = place.git("status", "--porcelain")
    result = run(place, "--preset", "read", "sim:fix-test")
    assert answers(result) == [
        ("read_file", "allowed"),
        ("read_file", "allowed"),
        ("terminal", "denied"),
        ("patch", "denied"),
        ("terminal", "denied"),
    ]
    assert place.git("status", "--porcelain") == before


@pytest.mark.feature("F13.1", "F12.25", "F17.5")
def test_the_preset_edit_stays_in_the_tree_and_so_do_its_sub_agents(place: Workplace) -> None:
    result = run(place, "sim:roam")
    assert answers(result) == [
        ("write_file", "allowed"),
        ("terminal", "allowed"),
        ("write_file", "allowed"),
        ("terminal", "denied"),
        ("terminal", "allowed"),
        ("write_file", "denied"),
        ("terminal", "denied"),
        ("write_file", "denied"),
    ]
    assert result["changed_files"] == ["inside.txt", "seen.txt"]
    assert not list(place.folder.glob("outside*"))
    assert not Path("/moor-was-here").exists()
    seen = (place.repository / "seen.txt").read_text(encoding="utf-8").splitlines()
    assert seen == [str(place.home.user), "The User", "0"]
    place.assert_clean_end()


@pytest.mark.feature("F5.2", "F6.5")
def test_it_knows_the_users_skills_and_the_models_limits_and_keeps_its_conversations(place: Workplace) -> None:
    skill = place.home.user / ".hermes" / "skills" / "mine" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: mine\ndescription: SKILL-MARKER of the user\n---\nBody\n", encoding="utf-8")
    calls = len(place.model_calls())
    run(place, "--model", "system.ai.claude-haiku-4-5", "sim:hello")
    bodies = [call["body_text"] for call in place.sim.control.requests(bodies=True) if call["model"]][calls:]
    assert any("SKILL-MARKER" in body for body in bodies)
    assert (place.store.root / "homes" / ID / "state.db").stat().st_size > 0
    assert skill.read_text(encoding="utf-8").endswith("Body\n")


@pytest.mark.full
@pytest.mark.feature("F12.1", "F6.5")
def test_two_at_once_have_their_own_gateways_and_a_chat_model_works_too(place: Workplace) -> None:
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, place, "sim:hello")
        second = pool.submit(run, place, "--model", "system.ai.gpt-5", "sim:hello")
        results = [first.result(), second.result()]
    assert [result["text"] for result in results] == ["Hello from the simulated model."] * 2
    assert [result["model"] for result in results][1] == "system.ai.gpt-5"
    place.assert_ledger_equals_sim()


@pytest.mark.full
@pytest.mark.feature("F6.5", "F4.8")
def test_the_users_fallback_answers_where_the_main_model_is_limited(place: Workplace) -> None:
    config = place.store.root / "config.toml"
    before = config.read_text(encoding="utf-8")
    config.write_text(f'{before}\n[agents.{ID}]\nfallback = ["system.ai.gpt-5"]\neffort = "low"\n', encoding="utf-8")
    place.sim.control.fault(
        model="system.ai.claude-sonnet-5", status=429, body={"error_code": "X", "message": "slow"}
    )
    try:
        assert run(place, "sim:hello")["text"] == "Hello from the simulated model."
        last = next(call for call in reversed(place.sim.control.requests(bodies=True)) if call["dialect"])
        assert (last["model"], '"reasoning_effort":"low"' in last["body_text"]) == ("system.ai.gpt-5", True)
    finally:
        place.sim.control.clear_faults()
        config.write_text(before, encoding="utf-8")


@pytest.mark.feature("F12.7", "F6.5")
def test_a_conversation_is_carried_to_its_own_home_and_back(place: Workplace) -> None:
    place.must(ID, "chat", "-Q", "-q", "sim:hello the first words")
    place.wait_gone()
    place.must("session", "export", "--agent", ID, "--to-agent-home")
    assert b"127.0.0.1" not in (place.home.user / ".hermes" / "state.db").read_bytes()
    shutil.rmtree(place.store.root / "homes" / ID)
    place.must("session", "import", "--agent", ID)
    place.must(ID, "chat", "-Q", "--continue", "-q", "sim:hello again")
    bodies = [call["body_text"] for call in place.sim.control.requests(bodies=True)[-3:] if call["model"]]
    assert any("the first words" in body for body in bodies)
    shutil.rmtree(place.home.user / ".hermes")
