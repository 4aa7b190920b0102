from __future__ import annotations

import pytest

from moor.agents.hermes.arguments import REFUSED, REFUSED_FLAGS, checked
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown
from tests.support.opencode_context import MAIN, SMALL

MODELS = (MAIN, SMALL)


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ((), ["--cli"]),
        (("--cli",), ["--cli"]),
        (("--resume", "20261120_1"), ["--cli", "--resume", "20261120_1"]),
        (("--continue", "my talk"), ["--cli", "--continue", "my talk"]),
        (("-c",), ["--cli", "-c"]),
        (("chat", "-Q", "-q", "-m is no flag here"), ["chat", "-Q", "-q", "-m is no flag here"]),
        (("chat", "--yolo", "--max-turns=3"), ["chat", "--yolo", "--max-turns=3"]),
        (("sessions", "list", "--limit", "3"), ["sessions", "list", "--limit", "3"]),
    ],
)
def test_harmless_arguments_are_passed_on(given: tuple[str, ...], passed: list[str]) -> None:
    assert checked(given, MODELS) == (passed, None)


@pytest.mark.parametrize(
    "given", [("-m", "kimi"), ("--model", "kimi"), ("--model=kimi",), ("-mkimi",), ("-m", "custom:moor-chat:kimi")]
)
def test_an_allowed_model_goes_into_the_configuration(given: tuple[str, ...]) -> None:
    assert checked(("chat", *given, "-q", "x"), MODELS) == (["chat", "-q", "x"], SMALL)


@pytest.mark.feature("F6.5")
@pytest.mark.parametrize("given", [("-m", "gpt-9"), ("--model=",), ("-m",), ("-m", "openrouter/claude-x")])
def test_another_model_is_refused(given: tuple[str, ...]) -> None:
    with pytest.raises(AgentModelUnknown):
        checked(given, MODELS)


@pytest.mark.feature("F6.5")
@pytest.mark.parametrize("word", [*REFUSED, *REFUSED_FLAGS])
def test_what_leaves_the_wire_is_refused_with_what_to_type(word: str) -> None:
    with pytest.raises(AgentCommandRefused) as caught:
        checked((word, "x"), MODELS)
    assert caught.value.hint


@pytest.mark.parametrize("word", ["--prov", "--ignore-user", "--safe", "--mod", "-x"])
def test_a_shortened_or_unknown_option_is_refused(word: str) -> None:
    with pytest.raises(AgentCommandRefused):
        checked(("chat", word, "x"), MODELS)


def test_an_option_of_another_command_is_its_own_but_for_the_refused_ones() -> None:
    assert checked(("sessions", "export", "--format", "md"), MODELS).args[-1] == "md"
    with pytest.raises(AgentCommandRefused):
        checked(("sessions", "list", "-p", "work"), MODELS)


def test_a_word_that_is_no_command_is_refused() -> None:
    with pytest.raises(AgentCommandRefused):
        checked(("frobnicate",), MODELS)
