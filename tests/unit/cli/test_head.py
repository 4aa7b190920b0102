"""Options stand before the name; what follows it is passed on word for word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.cli.head import plain_head
from moor.cli.parser import parse_head
from moor.cli.registry import COMMANDS
from moor.errors import UsageError

WORDS = st.lists(
    st.sampled_from(["opencode", "-q", "--quiet", "-v", "run", "--model", "x", "--", "-", "", "--version", "a b"]),
    max_size=5,
)


@given(WORDS)
def test_the_plain_reading_agrees_with_argparse_wherever_it_dares(words: list[str]) -> None:
    plain = plain_head(words)
    if plain is not None:
        assert vars(plain) == vars(parse_head(words))


def test_a_plain_launch_is_read_without_argparse_and_a_command_is_not() -> None:
    plain = plain_head(["-q", "opencode", "--continue", "--model", "x"])
    assert plain is not None
    assert plain.command == ["opencode", "--continue", "--model", "x"]
    assert plain.quiet
    assert plain.model is None
    assert all(plain_head([command]) is None for command in COMMANDS)


@pytest.mark.feature("F7.1")
def test_options_before_the_name_are_ours_and_after_it_the_agents() -> None:
    head = parse_head(["--model", "m", "--budget-usd", "1.5", "opencode", "--model", "theirs", "--", "x"])
    assert (head.model, head.budget_usd) == ("m", 1.5)
    assert head.command == ["opencode", "--model", "theirs", "--", "x"]


@pytest.mark.parametrize(
    "words", [["--budget-usd", "0", "a"], ["--budget-usd", "nan", "a"], ["--nope"], ["--mod", "x"]]
)
def test_nonsense_is_wrong_use(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_head(words)
