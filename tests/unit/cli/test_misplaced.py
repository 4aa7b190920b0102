"""An option of moor's that stands behind the agent's name is told, not handed on."""

from __future__ import annotations

import pytest

from moor.cli.launch import refuse_misplaced
from moor.errors.base import UsageError


@pytest.mark.parametrize("words", [["--budget-usd", "5"], ["--budget-tokens=5k", "."], [".", "--dry-run"]])
def test_it_is_told_where_it_belongs(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        refuse_misplaced("opencode", words)
    assert caught.value.hint.startswith("moor --")
    assert caught.value.hint.endswith("… opencode")


@pytest.mark.parametrize("words", [[], ["--model", "x"], ["--max-budget-usd", "5"], ["--", "--budget-usd"]])
def test_what_is_the_agents_passes(words: list[str]) -> None:
    refuse_misplaced("claude", words)
