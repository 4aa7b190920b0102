"""The scripted model: which answer a request gets, derived from the request alone.

Retries, parallel sessions and compaction cannot disturb it. The script is addressed by `sim:<scenario>` in the
last real prompt; how far it has come is the number of tool results after that prompt. A call for a summary is
answered with a marker that carries the position over into the shortened conversation. Title calls are answered
aside.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from moor.errors.sim import ScenarioUnknown
from moor.sim.script.conversation import USER, Conversation, Returned, Said, prompt_text
from moor.sim.script.library import Library, find_address, split_address
from moor.sim.script.plan import Beat, beats
from moor.sim.script.toolfit import Fitted

DEFAULT: Final = "default"
FIX: Final = "fix-test"
TITLE: Final = "title"
SUMMARY: Final = "summary"

_MARKER = re.compile(r"\[sim-progress ([^\s\]]+) (\d+)\]")
_TITLE = re.compile(r"(?i)\btitle\b")
_SUMMARY = re.compile(
    r"(?i)summar|compact|context checkpoint|continuing (?:our|the|this) conversation|what did we do so far"
)
_FULL_SUMMARY = re.compile(r"(?i)create a (?:detailed|comprehensive) summary|CONTEXT CHECKPOINT COMPACTION")
_FIX = re.compile(r"(?i)\b(?:fix|repair|make)\b.{0,60}\btests?\b")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call of an answer, with its id."""

    id: str
    call: Fitted


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the model, before any dialect."""

    scenario: str
    think: str = ""
    say: str = ""
    calls: tuple[Part, ...] = ()
    pause_s: float = 0.0
    ending: str = ""


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    results: int
    prompt: str = ""


def answer(talk: Conversation, library: Library) -> Turn:
    """The model's next answer. Never raises: an address that makes no sense is answered in words."""
    if not talk.tools and _is_title(talk):
        return Turn(scenario=TITLE, say=_title(talk))
    if _is_summary(talk):
        return Turn(scenario=SUMMARY, say=_summary(talk))
    place = _place(talk)
    name, given = split_address(place.address)
    try:
        scenario = library.get(name)
        script = beats(scenario, scenario.bind(given), talk)
    except ScenarioUnknown as problem:
        return Turn(scenario=name, say=f"Simulated model: {problem.message}.")
    return _turn(place, script, talk)


def _turn(place: _Place, script: list[Beat], talk: Conversation) -> Turn:
    at, passed = 0, 0
    while at < len(script) - 1 and place.results >= passed + len(script[at].calls):
        passed += len(script[at].calls)
        at += 1
    beat = script[at]
    seed = f"{place.address}\0{place.prompt}\0{len(talk.items)}\0{at}"
    calls = tuple(Part(id=_call_id(seed, number), call=call) for number, call in enumerate(beat.calls))
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


def _place(talk: Conversation) -> _Place:
    """The address in force and the number of tool results since it was given."""
    address, prompt, start, base = "", "", 0, 0
    for index, item in enumerate(talk.items):
        asked = prompt_text(item)
        if asked:
            named = find_address(asked)
            if named or not _MARKER.search(_said_before(talk, index)):
                address, prompt, start, base = named or _unaddressed(asked, talk), asked, index, 0
        marker = _last_marker(item)
        if marker:
            address, base, start = marker.group(1), int(marker.group(2)), index
    results = sum(isinstance(item, Returned) for item in talk.items[start:])
    return _Place(address=address or DEFAULT, results=base + results, prompt=prompt)


def _said_before(talk: Conversation, index: int) -> str:
    return "\n".join(item.text for item in talk.items[:index] if isinstance(item, Said))


def _last_marker(item: object) -> re.Match[str] | None:
    found = list(_MARKER.finditer(item.text)) if isinstance(item, Said) else []
    return found[-1] if found else None


def _unaddressed(asked: str, talk: Conversation) -> str:
    return FIX if talk.tools and _FIX.search(asked) else DEFAULT


def _is_title(talk: Conversation) -> bool:
    if talk.wants_json:
        return True
    first = next((item.text for item in talk.items if isinstance(item, Said) and item.role == USER), "")
    return bool(_TITLE.search(talk.system) or _TITLE.search(first[:200]))


def _title(talk: Conversation) -> str:
    said = " ".join(item.text for item in talk.items if isinstance(item, Said) and item.role == USER)
    address = find_address(said)
    title = f"Simulated: {split_address(address)[0]}" if address else "Simulated session"
    return f'{{"title": "{title}"}}' if talk.wants_json else title


def _is_summary(talk: Conversation) -> bool:
    last = next((prompt_text(item) for item in reversed(talk.items) if prompt_text(item)), "")
    if find_address(last[-200:]):
        return False
    if _FULL_SUMMARY.search(last):
        return True
    spoken = any(isinstance(item, Said) and item.role != USER for item in talk.items) or bool(talk.system)
    return not talk.tools and spoken and bool(_SUMMARY.search(last) or _SUMMARY.search(talk.system))


def _summary(talk: Conversation) -> str:
    last = max((i for i, item in enumerate(talk.items) if prompt_text(item)), default=0)
    place = _place(msgspec.structs.replace(talk, items=talk.items[:last] or talk.items))
    progress = f"[sim-progress {place.address} {place.results}]"
    return f"Simulated summary of the conversation so far. The scripted model continues from here: {progress}"
