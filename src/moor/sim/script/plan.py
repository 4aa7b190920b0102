"""From a scenario and the tools at hand to the list of answers the model will give."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from moor.sim.script.conversation import Conversation, Said
from moor.sim.script.scenario import SPAWN, Action, Scenario, Step
from moor.sim.script.toolfit import Fitted, fit, waiting

_SENTENCES = (
    "This is filler text from the simulated model. ",
    "It stands for a long answer and means nothing. ",
    "Nothing in it was thought by anyone. ",
)


class Beat(msgspec.Struct, kw_only=True):
    """One answer of the model."""

    think: str = ""
    say: str = ""
    calls: list[Fitted] = []
    pause_s: float = 0.0
    ending: str = ""


def beats(scenario: Scenario, bound: dict[str, str], talk: Conversation) -> list[Beat]:
    """All answers of the scenario, the last one without tool calls.

    Steps without an action join the next answer. An action no offered tool can do is named in the text and skipped.
    """
    done: list[Beat] = []
    beat = Beat()
    for step in _unrolled(scenario, bound):
        _speak(beat, step, talk)
        for action in step.actions:
            call = fit(action, talk.tools, talk.directory())
            if call is None:
                beat.say += f"\n(simulated: no tool offered here can {action.kind})"
            else:
                beat.calls.append(call)
        if beat.calls or step.ending:
            done.append(beat)
            beat = Beat()
        if any(action.kind == SPAWN for action in step.actions):
            wait = waiting(talk.tools, talk.last_result())
            done += [Beat(calls=[wait])] if wait else []
    if beat.say or beat.think or not done or done[-1].calls:
        done.append(beat)
    return done


def _unrolled(scenario: Scenario, bound: dict[str, str]) -> Iterator[Step]:
    for step in scenario.step:
        for turn in range(1, int(float(_fill(str(step.repeat), bound))) + 1):
            yield _bind_step(step, {**bound, "n": str(turn)})


def _bind_step(step: Step, values: dict[str, str]) -> Step:
    words = {name: _fill(getattr(step, name), values) for name in _TEXTS}
    together = tuple(_bind_action(action, values) for action in step.together)
    return msgspec.structs.replace(
        step,
        **words,
        together=together,
        pause=float(_fill(str(step.pause), values)),
        fill=int(float(_fill(str(step.fill), values))),
    )


def _bind_action(action: Action, values: dict[str, str]) -> Action:
    words = {name: _fill(getattr(action, name), values) for name in _ACTION_TEXTS}
    return msgspec.structs.replace(action, **words)


_ACTION_TEXTS = ("read", "write", "content", "edit", "old", "new", "run", "why", "ask", "spawn")
_TEXTS = (*_ACTION_TEXTS, "say", "think", "otherwise", "expect", "ending")


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def _speak(beat: Beat, step: Step, talk: Conversation) -> None:
    result = talk.last_result()
    text = step.say
    if step.expect and not re.search(step.expect, result):
        text = step.otherwise or "(simulated) the last tool result is not what this script expected: {result}"
    if step.echo:
        text += _echo(step.echo, talk)
    text = text.replace("{result}", " ".join(result.split())[:200]).replace("{result_size}", str(len(result)))
    beat.say += ("\n" if beat.say and text else "") + text + filler(int(step.fill))
    beat.think += step.think
    beat.pause_s += float(step.pause)
    beat.ending = step.ending


def _echo(pattern: str, talk: Conversation) -> str:
    """What a pattern finds in the system prompt and in what was said on the user's side, each finding once."""
    heard = [talk.system, *(item.text for item in talk.items if isinstance(item, Said))]
    found = dict.fromkeys(match.group() for text in heard for match in re.finditer(pattern, text))
    return " ".join(found) or "(nothing found)"


def filler(size: int) -> str:
    """Exactly that many characters of harmless text."""
    whole = "".join(_SENTENCES)
    return (whole * (size // len(whole) + 1))[:size]
