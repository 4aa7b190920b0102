"""Conversations are carried whole or not at all, and nothing is overwritten."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from moor.agents.base import Transfer, TransferContext
from moor.errors.launch import AgentBusy, CarryFailed
from moor.launch.carry import carry, conversations, is_there, refuse_while_it_runs
from moor.run import proc
from moor.store.home import Home
from tests.support.workplace import wait_until

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "DATABRICKS_TOKEN": "dapi-secret"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "theirs" / "c.jsonl"
    path.parent.mkdir()
    path.write_text("words", encoding="utf-8")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def test_a_file_arrives_whole_private_and_with_its_time(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "ours" / "deep" / "c.jsonl"
    one = Transfer(id="c", copies=((source, target),))
    assert not is_there(one)
    carry(one, "tool", ENVIRON, "/")
    assert target.read_text(encoding="utf-8") == "words"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.stat().st_mtime == 1_700_000_000
    assert is_there(one)
    assert list(target.parent.iterdir()) == [target]


def test_what_is_there_is_never_overwritten_and_nothing_else_stays(source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "ours" / "a", tmp_path / "ours" / "b"
    second.parent.mkdir()
    second.write_text("mine", encoding="utf-8")
    with pytest.raises(CarryFailed, match="File exists"):
        carry(Transfer(id="c", copies=((source, first), (source, second))), "tool", ENVIRON, "/")
    assert second.read_text(encoding="utf-8") == "mine"
    assert not first.exists()
    assert is_there(Transfer(id="c", copies=((source, second),)))


def test_a_file_that_two_conversations_share_is_carried_once(source: Path, tmp_path: Path) -> None:
    mark = source.with_name("mark")
    mark.write_text("project", encoding="utf-8")
    place = tmp_path / "ours"
    first = Transfer(id="1", copies=((mark, place / "mark"), (source, place / "1")))
    second = Transfer(id="2", copies=((mark, place / "mark"), (source, place / "2")))
    for one in (first, second):
        assert not is_there(one)
        carry(one, "tool", ENVIRON, "/")
        assert is_there(one)
    source.write_text("words, and more since", encoding="utf-8")
    assert is_there(first)


def test_a_command_of_the_agents_own_runs_in_the_folder_without_credentials(tmp_path: Path) -> None:
    script = 'pwd > "$0"; printenv WORD >> "$0"; printenv DATABRICKS_TOKEN >> "$0"; true'
    one = Transfer(id="c", commands=(("sh", "-c", script, str(tmp_path / "seen")),), env={"WORD": "said"})
    carry(one, "tool", ENVIRON, str(tmp_path))
    assert (tmp_path / "seen").read_text(encoding="utf-8").split() == [str(tmp_path), "said"]


def test_a_command_that_fails_is_told_and_the_files_before_it_are_taken_back(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "ours" / "c"
    one = Transfer(id="c", copies=((source, target),), commands=(("sh", "-c", "echo no room >&2; exit 3"),))
    with pytest.raises(CarryFailed, match="its own program refuses") as caught:
        carry(one, "tool", ENVIRON, "/")
    assert caught.value.context == "no room"
    assert not target.exists()


def test_the_adapter_is_told_where_both_homes_are(tmp_path: Path) -> None:
    seen: list[TransferContext] = []

    def transfers(context: TransferContext) -> tuple[Transfer, ...]:
        seen.append(context)
        return ()

    agent: Any = SimpleNamespace(id="tool", transfers=transfers)
    installed: Any = SimpleNamespace(path="/p", version="1", source="moor")
    conversations(agent, installed, Home(tmp_path), ENVIRON, "/w", tmp_path / "s", to_agent_home=True)
    assert seen[0].home == tmp_path / "homes" / "tool"
    assert str(seen[0].user_home) == "/nowhere"
    assert "DATABRICKS_TOKEN" not in seen[0].environ
    assert seen[0].to_agent_home


def test_an_agent_that_runs_on_this_home_is_noticed_and_on_another_it_is_not(tmp_path: Path) -> None:
    program = tmp_path / "some-agent"
    shutil.copy("/bin/sleep", program)
    agent: Any = SimpleNamespace(id=program.name, display_name="Some agent")
    with subprocess.Popen([program, "60"], env={"HOME": str(tmp_path)}) as process:
        try:
            # exec ends Popen's wait before it has set the environment
            wait_until(lambda: proc.environ_of(process.pid), "it has no environment")
            refuse_while_it_runs(agent, {"HOME": "/another"})
            with pytest.raises(AgentBusy, match=str(process.pid)) as caught:
                refuse_while_it_runs(agent, {"HOME": str(tmp_path)})
            assert "end it first" in caught.value.hint
        finally:
            process.kill()
