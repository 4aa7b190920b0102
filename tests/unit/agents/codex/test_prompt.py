from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from moor.agents.codex.prompt import keep_prompt, pick_prompt
from moor.wire.catalogue import PROMPT


@pytest.mark.parametrize(
    ("listing", "prompt"),
    [
        ({"models": [{"tool_mode": "code", "base_instructions": "no"}, {"base_instructions": "yes"}]}, "yes"),
        ({"models": [{"base_instructions": "You are Codex, a coding agent based on GPT-5. So."}]},
         "You are Codex, a coding agent. So."),
        ({"models": [{"tool_mode": None}, 3]}, ""),
        ({"models": 1}, ""),
        ([], ""),
    ],
)  # fmt: skip
def test_the_prompt_of_a_model_with_plain_tools_is_picked(listing: Any, prompt: str) -> None:
    assert pick_prompt(listing) == prompt


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        (f"echo '{json.dumps({'models': [{'base_instructions': 'Own.'}]})}'", "Own."),
        ("exit 1", PROMPT),
        ("echo nonsense", PROMPT),
    ],
)
def test_the_prompt_is_kept_or_a_plain_one_stands_in(tmp_path: Path, script: str, kept: str) -> None:
    program = tmp_path / "codex"
    program.write_text(f'#!/bin/sh\ntest -d "$CODEX_HOME" || exit 9\n{script}\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "home").mkdir()
    target = tmp_path / "home" / "prompt.md"
    keep_prompt(str(program), target)
    assert target.read_text(encoding="utf-8") == kept
    assert target.stat().st_mode & 0o077 == 0
    assert [path.name for path in target.parent.iterdir()] == ["prompt.md"]


def test_a_program_that_is_gone_leaves_the_plain_prompt(tmp_path: Path) -> None:
    keep_prompt(str(tmp_path / "none"), tmp_path / "p.md")
    assert (tmp_path / "p.md").read_text(encoding="utf-8") == PROMPT
