"""Which Gemini CLI is started, and what is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.gemini import GEMINI, PINNED
from moor.errors.agent import AgentMissing, AgentNeeds, AgentVersionUnfit
from moor.store.home import Home

BUNDLE = "lib/node_modules/@google/gemini-cli/bundle/gemini.js"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A PATH with a Node.js that must not be run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "node").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (folder / "node").chmod(0o755)
    return {"PATH": str(folder)}


def own_copy(folder: Path, version: str) -> Path:
    """A copy of the user's own, as npm installs it: a link on PATH to a script in a package."""
    script = folder / BUNDLE
    script.parent.mkdir(parents=True)
    script.write_text("throw new Error('it must not be run')", encoding="utf-8")
    script.chmod(0o755)
    (script.parents[1] / "package.json").write_text(json.dumps({"version": version}), encoding="utf-8")
    (folder / "bin" / "gemini").symlink_to(script)
    return script


def test_the_installed_one_is_found_without_running_anything(tmp_path: Path, environ: dict[str, str]) -> None:
    program = tmp_path / "agents" / "gemini" / PINNED / GEMINI.recipe().binary
    program.parent.mkdir(parents=True)
    program.touch()
    found = GEMINI.find(Home(tmp_path / "moor"), {**environ, "MOOR_TEST_AGENTS": str(tmp_path / "agents")})
    assert (found.path, found.version) == (str(program), PINNED)


def test_a_copy_on_path_will_do_when_told_and_is_not_run_for_its_version(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    script = own_copy(tmp_path, PINNED)
    home = Home(tmp_path / "moor")
    with pytest.raises(AgentMissing):
        GEMINI.find(home, environ)
    found = GEMINI.find(home, environ, use_path=True)
    assert (found.path, found.version, found.source) == (str(script), PINNED, "path")


def test_a_copy_that_is_too_old_and_a_command_that_is_none_of_npms_are_refused(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    home = Home(tmp_path / "moor")
    own_copy(tmp_path, "0.44.1")
    with pytest.raises(AgentVersionUnfit):
        GEMINI.find(home, environ, use_path=True)
    (tmp_path / "bin" / "gemini").unlink()
    (tmp_path / "bin" / "gemini").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "bin" / "gemini").chmod(0o755)
    with pytest.raises(AgentMissing):
        GEMINI.find(home, environ, use_path=True)


def test_without_node_that_is_what_is_said(tmp_path: Path) -> None:
    with pytest.raises(AgentNeeds, match=r"Node\.js"):
        GEMINI.find(Home(tmp_path / "moor"), {"PATH": str(tmp_path)})


def test_the_pinned_one_is_checked_and_another_is_not_taken_for_it() -> None:
    assert list(GEMINI.recipe().integrity) == ["@google/gemini-cli"]
    assert GEMINI.recipe().pinned
    other = GEMINI.recipe("0.62.0")
    assert (other.pinned, other.integrity, other.packages) == (False, {}, ("@google/gemini-cli@0.62.0",))
    assert "not tested" in GEMINI.version_note("0.62.0")
    assert GEMINI.version_note(PINNED) == ""
