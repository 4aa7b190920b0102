"""The user's own arguments: what is passed on, what is refused, and which models they reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.gemini import GEMINI
from moor.agents.gemini.arguments import REFUSED, checked
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown
from tests.support.gemini_context import MAIN, SMALL, gemini_context

PLAIN = [
    ("-p", "hello world", "-y"),
    ("--resume", "latest", "--prompt=go on"),
    ("-i", "what is this", "--approval-mode", "auto_edit"),
    ("-o", "json", "fix the test"),
    ("--include-directories", "../lib,../docs"),
    ("-p", "go", "--", "--acp", "mcp"),
    ("-yd",),
    ("tell", "me", "about", "mcp"),
]


@pytest.mark.feature("F4.7")
@pytest.mark.parametrize("args", PLAIN)
def test_ordinary_arguments_are_passed_on_behind_the_model(args: tuple[str, ...], tmp_path: Path) -> None:
    assert checked(gemini_context(tmp_path, args=args)) == ["--model", MAIN.id, *args]


@pytest.mark.parametrize(
    "args",
    [("-m", SMALL.id), (f"-m{SMALL.id}",), (f"-m={SMALL.id}",), ("--model", SMALL.id), (f"--model={SMALL.id}",)],
)
def test_a_model_that_is_named_is_named_once(args: tuple[str, ...], tmp_path: Path) -> None:
    out = checked(gemini_context(tmp_path, args=(*args, "-p", "x")))
    assert "".join(out) in (f"--model{SMALL.id}-px", f"--model={SMALL.id}-px")


@pytest.mark.feature("F4.6")
def test_its_own_words_for_models_stand_for_allowed_ones(tmp_path: Path) -> None:
    for word, model in (("pro", MAIN), ("auto", MAIN), ("flash", SMALL), ("flash-lite", SMALL)):
        assert checked(gemini_context(tmp_path, args=("-m", word))) == ["--model", model.id]
    other = gemini_context(tmp_path, args=("-m", "flash"), slots={"flash": MAIN})
    assert checked(other) == ["--model", MAIN.id]


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize("args", [("-m", "gemini-2.5-pro"), ("--model=gemini-3-pro-preview",), ("-mx",), ("-m=x",)])
def test_another_model_is_refused(args: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(AgentModelUnknown):
        checked(gemini_context(tmp_path, args=args))


@pytest.mark.parametrize(
    "args",
    [
        *((word,) for word in REFUSED),
        ("--acp",),
        ("--experimentalAcp",),
        ("--experimental-acp=true",),
        ("-e", "x"),
        ("-ex",),
        ("--extensions=x",),
        ("-l",),
        ("-s",),
        ("--sandbox",),
        ("-ys",),
        ("-w",),
        ("--worktree=x",),
        ("--fakeResponses", "x"),
        ("--proxy=http://x",),
        ("-ym", "gemini-2.5-pro"),
        ("-y", "mcp"),
    ],
)
def test_what_leaves_the_wire_is_refused_with_what_to_type(args: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused) as caught:
        checked(gemini_context(tmp_path, args=args))
    assert caught.value.hint


def test_every_refused_word_says_what_to_type() -> None:
    assert all("; " in why for why in GEMINI.refused_commands.values())
