"""Conversations that are carried between the user's own home and moor's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import SEES, Installed, TransferContext
from moor.agents.claude import CLAUDE
from tests.support.claude_context import write

SLUG = "-srv-my-shop-1"
"""Claude Code's name of /srv/my_shop.1"""


def context(folder: Path, **changes: Any) -> TransferContext:
    fields: dict[str, Any] = {
        "installed": Installed("claude", "2.1.197", "moor"),
        "home": folder / "home",
        "user_home": folder / "user",
        "environ": {},
        "cwd": "/srv/my_shop.1",
        "scratch": folder / "scratch",
        "to_agent_home": False,
        **changes,
    }
    return TransferContext(**fields)


def said(text: str) -> str:
    lines = [{"type": "summary"}, {"type": "user", "isMeta": True, "message": {"content": "meta"}}]
    user = {"type": "user", "message": {"role": "user", "content": text}}
    return "\n".join([*map(json.dumps, lines), "no json", json.dumps(user)]) + "\n"


@pytest.mark.feature("F12.7")
def test_conversations_of_the_folder_are_found_newest_first_with_all_their_files(tmp_path: Path) -> None:
    write(
        tmp_path / "user" / ".claude" / "projects",
        {
            f"{SLUG}/old.jsonl": said("Fix  the\ntest"),
            f"{SLUG}/new.jsonl": said("x" * 200),
            f"{SLUG}/new/subagents/agent-1.jsonl": "{}",
            f"{SLUG}/memory/MEMORY.md": "not a conversation",
            "-srv-other/other.jsonl": said("elsewhere"),
        },
    )
    os.utime(tmp_path / "user" / ".claude" / "projects" / SLUG / "old.jsonl", (1, 1))
    new, old = CLAUDE.transfers(context(tmp_path))
    assert (old.id, old.title, old.updated_at) == ("old", "Fix the test", 1.0)
    assert len(new.title) == 80
    target = tmp_path / "home" / "projects" / SLUG
    assert [copy[1] for copy in new.copies] == [target / "new.jsonl", target / "new" / "subagents" / "agent-1.jsonl"]


def test_they_go_where_the_users_own_variable_points(tmp_path: Path) -> None:
    write(tmp_path / "home" / "projects", {f"{SLUG}/a.jsonl": said("hello")})
    own = context(tmp_path, environ={"CLAUDE_CONFIG_DIR": str(tmp_path / "moved")}, to_agent_home=True)
    (transfer,) = CLAUDE.transfers(own)
    assert transfer.copies[0][1] == tmp_path / "moved" / "projects" / SLUG / "a.jsonl"
    assert CLAUDE.transfers(context(tmp_path)) == ()


def test_what_it_sees_is_said_for_every_row() -> None:
    assert tuple(CLAUDE.sees) == SEES
