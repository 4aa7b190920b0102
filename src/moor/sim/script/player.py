"""The scripted model: which answer a request gets, derived from the request alone.

So retries, parallel sessions and compaction cannot disturb it. Title and summary calls are answered aside.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from moor.errors.sim import ScenarioUnknown
from moor.sim.script.asides import is_summary, is_title, summary, title, title_tool
from moor.sim.script.conversation import Conversation
from moor.sim.script.library import Library, split_address
from moor.sim.script.place import Place, find_place
from moor.sim.script.plan import Beat, beats
from moor.sim.script.toolfit import Fitted, report

TITLE: Final = "title"
SUMMARY: Final = "summary"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of an answer, with its id."""

    id: str
    call: Fitted


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the model, before any dialect."""

    scenario: str
    """the address it comes from, or `title`, `summary`"""
    think: str = ""
    say: str = ""
    calls: tuple[Part, ...] = ()
    pause_s: float = 0.0
    ending: str = ""


def answer(talk: Conversation, library: Library) -> Turn:
    """The model's next answer. Never raises: an address that makes no sense is answered in words."""
    if is_title(talk):
        return _title(talk)
    if is_summary(talk):
        return Turn(scenario=SUMMARY, say=summary(talk))
    place = find_place(talk)
    name, given = split_address(place.address)
    try:
        scenario = library.get(name)
        script = beats(scenario, scenario.bind(given), talk)
    except ScenarioUnknown as problem:
        return Turn(scenario=name, say=f"Simulated model: {problem.message}.")
    return _turn(place, script, talk)


def _title(talk: Conversation) -> Turn:
    """As text, or by the tool that is there for it."""
    tool = title_tool(talk)
    if tool is None:
        return Turn(scenario=TITLE, say=title(talk))
    call = Fitted(name=tool.name, arguments={"title": title(talk)})
    return Turn(scenario=TITLE, calls=(Part(id=_call_id(tool.name, 0), call=call),))


def _turn(place: Place, script: list[Beat], talk: Conversation) -> Turn:
    at, passed = 0, 0
    while at < len(script) - 1 and place.results >= passed + len(script[at].calls):
        passed += len(script[at].calls)
        at += 1
    beat = script[at]
    wanted = list(beat.calls)
    if not wanted and at == len(script) - 1 and (last := report(beat.say, talk.tools)) is not None:
        wanted.append(last)
    seed = f"{place.address}\0{place.prompt}\0{len(talk.items)}\0{at}"
    calls = tuple(Part(id=_call_id(seed, number), call=call) for number, call in enumerate(wanted))
    return Turn(
        scenario=place.address,
        think=beat.think,
        say=beat.say,
        calls=calls,
        pause_s=beat.pause_s,
        ending=beat.ending,
    )


def _call_id(seed: str, number: int) -> str:
    return hashlib.sha256(f"{seed}\0{number}".encode()).hexdigest()[:20]
