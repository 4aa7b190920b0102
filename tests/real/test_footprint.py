"""Nothing of the user's is touched, nothing of the upstream's reaches the agent, and its tools see the user's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from tests.support import tui
from tests.support.footprint import REPOSITORY_FILES, USER_FILES, changes, picture, write_all
from tests.support.workplace import Workplace, wait_until, workplace

pytestmark = pytest.mark.real

AGENTS_OWN = "OPENCODE_CONFIG_CONTENT"

FOREIGN = {
    "DATABRICKS_HOST": "https://elsewhere.invalid",
    "DATABRICKS_TOKEN": "dapi11111111111111111111111111111111",
    "ANTHROPIC_API_KEY": "sk-ant-foreign",
    "ANTHROPIC_BASE_URL": "https://elsewhere.invalid",
    "OPENAI_API_KEY": "sk-foreign",
    "GEMINI_API_KEY": "foreign-gemini",
    "GOOGLE_API_KEY": "foreign-google",
    "ARM_CLIENT_SECRET": "foreign-arm",
    AGENTS_OWN: '{"model": "opencode/big-pickle"}',
}
"""what other tools of the user need, and no agent of ours may see"""

UNAVOIDABLE = ["~.git", "+.git/opencode"]
"""OpenCode 1.18.33 keeps the id of the first commit there, whatever it is told; git does not look at it"""

SCRIPTS = {
    "look": """
about = "Writes down what a command of the agent sees, then waits."

[[step]]
run = "env -0 > $OUT/tool; tr '\\\\0' '\\\\n' < /proc/$PPID/environ > $OUT/parent; git config user.email > $OUT/git"

[[step]]
run = "touch $OUT/waiting; while [ ! -e $OUT/go ]; do sleep 0.1; done"
"""
}


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents, SCRIPTS) as made:
        write_all(made.home.user, USER_FILES)
        write_all(made.repository, REPOSITORY_FILES)
        (made.folder / "out").mkdir()
        made.environ["OUT"] = str(made.folder / "out")
        yield made


@pytest.mark.feature("F5.2", "F3.22")
def test_home_and_repository_are_the_same_bytes_afterwards(place: Workplace) -> None:
    user = picture(place.home.user, without=[".moor"])
    repository = picture(place.repository)
    elsewhere = picture(place.folder / "tmp")
    place.must("run", "Say hello, sim:hello")
    with place.window(AGENT) as window:
        tui.ready(window)
        tui.ask(window, "Say hello, sim:hello")
        window.wait_for("Hello from the simulated model", 30)
        assert tui.leave(window) == 0
    place.assert_clean_end()
    assert changes(user, picture(place.home.user, without=[".moor"])) == []
    assert changes(repository, picture(place.repository)) == UNAVOIDABLE
    place.must("run", "Say hello, sim:hello")
    assert changes(repository, picture(place.repository)) == UNAVOIDABLE
    assert changes(elsewhere, picture(place.folder / "tmp")) == []


@pytest.mark.feature("F5.2")
def test_moors_own_folder_is_owner_only_and_sessions_leave_nothing_in_it(place: Workplace) -> None:
    place.must("run", "Say hello, sim:hello")
    root = place.home.root
    first = {path.name for path in root.iterdir()}
    wide = [str(path) for path in (root, *root.iterdir()) if path.stat().st_mode & 0o077]
    assert [path for path in wide if not path.endswith("/homes")] == []
    place.must("run", "Say hello, sim:hello")
    assert {path.name for path in root.iterdir()} == first
    assert list((root / "sessions").iterdir()) == []


@pytest.mark.feature("F17.5", "F17.12")
def test_the_agent_and_its_commands_see_the_users_own_places_and_no_credential(place: Workplace) -> None:
    place.environ |= {**FOREIGN, "XDG_CONFIG_HOME": str(place.home.user / ".config"), "OF_MINE": "kept"}
    out = place.folder / "out"
    with place.background("run", "--preset", "full", "Please look, sim:look") as run:
        wait_until(lambda: (out / "waiting").exists(), "the command did not come", 40)
        seen = everything_of(place)
        secrets = place.credentials()
        (out / "go").touch()
        assert run.wait(40) == 0, run.communicate()
    tool = dict(entry.split("=", 1) for entry in (out / "tool").read_text(encoding="utf-8").split("\0") if entry)
    assert tool["HOME"] == str(place.home.user)
    assert tool["XDG_CONFIG_HOME"] == str(place.home.user / ".config")
    assert {name for name in tool if name.startswith("XDG_")} == {"XDG_CONFIG_HOME"}
    assert tool["OF_MINE"] == "kept"
    assert (out / "git").read_text(encoding="utf-8").strip() == "tester@example.invalid"
    agent = (out / "parent").read_text(encoding="utf-8")
    assert tool["TMPDIR"] == place.environ["TMPDIR"]
    assert [name for name in FOREIGN if name in tool] == [AGENTS_OWN], "a user's setting of the agent is the user's"
    assert [value for value in FOREIGN.values() if value in agent] == []
    assert len(secrets) == 2
    for where, text in {**seen, "its parent": agent}.items():
        assert [secret for secret in secrets if secret in text] == [], f"a credential of the upstream in {where}"
    place.assert_clean_end()
    assert_no_secret_in_files(place, secrets)


def everything_of(place: Workplace) -> dict[str, str]:
    """Command lines of all processes, environments of all but the gateway (it is who may know)."""
    found = {}
    for pid, command in place.processes().items():
        found[f"argv of {pid}"] = command
        found[f"environment of {pid} ({command[:60]})"] = Path(f"/proc/{pid}/environ").read_bytes().decode()
    assert any(AGENT in command for command in found.values())
    return found


def assert_no_secret_in_files(place: Workplace, secrets: list[str]) -> None:
    """The one file for it holds them; no other below the folder does."""
    holding = [
        str(path.relative_to(place.home.root))
        for path in place.folder.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]
    assert holding == [place.store.credentials_path.name]
    assert place.store.credentials_path.stat().st_mode & 0o777 == 0o600
    assert json.loads(place.store.credentials_path.read_bytes())
