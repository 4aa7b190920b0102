from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.opencode.arguments import REFUSED, checked
from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.models import Model
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

MODELS = (
    Model(id="claude-x", family="claude", dialects=(ANTHROPIC_MESSAGES,)),
    Model(id="team/kimi", family="kimi", dialects=(OPENAI_CHAT,)),
)


@pytest.mark.feature("F7.1")
@pytest.mark.parametrize(
    "args",
    [
        (),
        ("run", "say", "words", "--", "-m", "x"),
        ("--continue", "-s", "ses_1", "--agent", "plan"),
        ("run", "hello", "--format=json", "-f", "upgrade"),
        ("run", "upgrade", "the", "library"),
        ("session", "list"),
        (".",),
    ],
)
def test_the_users_words_go_through_as_they_are(args: tuple[str, ...], tmp_path: Path) -> None:
    assert checked(args, MODELS, str(tmp_path)) == list(args)


@pytest.mark.parametrize(
    ("prompt", "then"),
    [
        (["say two  words"], ["say", "two", "", "words"]),
        (["take 1.0, then", "007"], ["take", "1.0,", "then", "007"]),
        (["fix the -x flag\nnow"], ["fix", "the", "--", "-x", "flag\nnow"]),
        (["--", "fix -x"], ["fix", "--", "-x"]),
        (["the -x flag 5 times"], ["the -x flag 5 times"]),
    ],
)
def test_a_prompt_reaches_the_model_without_quotation_marks(
    prompt: list[str], then: list[str], tmp_path: Path
) -> None:
    args = ("run", "--agent", "plan", *prompt)
    at = then.index("--") if "--" in then else len(then)
    assert checked(args, MODELS, str(tmp_path)) == ["run", *then[:at], "--agent", "plan", *then[at:]]


def test_a_prompt_is_not_taken_for_a_file(tmp_path: Path) -> None:
    args = ("run", "-f", "a.txt", "read", "it")
    assert checked(args, MODELS, str(tmp_path)) == ["run", "read", "it", "-f", "a.txt"]


@pytest.mark.parametrize(
    ("args", "then"),
    [
        (("-m", "claude-x"), ["-m", "moor-anthropic/claude-x"]),
        (("--model", "moor-chat/team/kimi"), ["--model", "moor-chat/team/kimi"]),
        (("--model=team/kimi", "run", "x"), ["--model=moor-chat/team/kimi", "run", "x"]),
        (("-mclaude-x",), ["--model=moor-anthropic/claude-x"]),
    ],
)
def test_a_model_may_be_named_as_moor_names_it(args: tuple[str, ...], then: list[str], tmp_path: Path) -> None:
    assert checked(args, MODELS, str(tmp_path)) == then


@pytest.mark.feature("F4.5")
@pytest.mark.parametrize("model", ["opencode/big-pickle", "anthropic/claude-x", "claude-y", "moor-chat/nope", ""])
def test_any_other_model_is_refused(model: str, tmp_path: Path) -> None:
    with pytest.raises(AgentModelUnknown):
        checked(("run", "-m", model, "hi"), MODELS, str(tmp_path))


@pytest.mark.parametrize("command", sorted(REFUSED))
def test_refused_commands_say_what_to_type(command: str, tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused) as caught:
        checked(("--log-level", "INFO", command), MODELS, str(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize("flag", ["--port", "--port=1", "--hostname", "--mdns", "--cors", "--attach", "--share"])
def test_flags_that_leave_the_wire_are_refused(flag: str, tmp_path: Path) -> None:
    with pytest.raises(AgentCommandRefused):
        checked(("run", flag, "x"), MODELS, str(tmp_path))


def test_another_folder_belongs_to_another_session(tmp_path: Path) -> None:
    for args in (("../elsewhere",), ("run", "--dir", "/tmp", "x"), ("run", "--dir=/tmp", "x")):
        with pytest.raises(AgentCommandRefused, match="folder"):
            checked(args, MODELS, str(tmp_path))
    assert checked(("run", "--dir", str(tmp_path), "x"), MODELS, str(tmp_path))
