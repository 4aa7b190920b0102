"""A scenario file: parameters, steps, and the files it plays on. Form: docs/reference/simulator.md."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

import msgspec

from moor.errors.sim import ScenarioInvalid, ScenarioUnknown

SAY_ONLY: Final = ""
READ: Final = "read"
WRITE: Final = "write"
EDIT: Final = "edit"
RUN: Final = "run"
ASK: Final = "ask"
SPAWN: Final = "spawn"
ACTIONS: Final = (READ, WRITE, EDIT, RUN, ASK, SPAWN)

ENDINGS: Final = ("", "error", "cut", "stall", "endless", "empty", "length", "refuse")


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most one thing to do with a tool."""

    read: str = ""
    write: str = ""
    content: str = ""
    edit: str = ""
    old: str = ""
    new: str = ""
    run: str = ""
    why: str = ""
    ask: str = ""
    options: tuple[str, ...] = ()
    spawn: str = ""

    @property
    def kind(self) -> str:
        """Which action it is; "" when there is none."""
        return next((name for name in ACTIONS if getattr(self, name)), SAY_ONLY)

    @property
    def path(self) -> str:
        """The file that is read, written or edited; "" for another action."""
        return self.read or self.write or self.edit


class Step(Action, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the script: words, thought, an action, or several actions at once."""

    say: str = ""
    think: str = ""
    pause: float | str = 0.0
    """seconds before the first byte of the answer"""
    repeat: int | str = 1
    fill: int | str = 0
    """so many characters of filler text after `say`"""
    echo: str = ""
    """a pattern; what it finds in the system prompt or the rules is said"""
    expect: str = ""
    """a pattern for the last tool result; where it is not found `otherwise` is said instead"""
    otherwise: str = ""
    together: tuple[Action, ...] = ()
    ending: str = ""
    """how the answer ends: "", error, cut, stall, endless, empty, length, refuse"""

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions of the step."""
        return self.together or ((self,) if self.kind else ())


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One script."""

    about: str
    step: tuple[Step, ...]
    parameters: dict[str, str | int | float] = {}
    """in the order of the address `sim:name:first:second`, with their defaults"""
    files: dict[str, str] = {}
    """what must lie in the directory for the script to make sense, by relative path"""
    name: str = ""

    def bind(self, given: list[str]) -> dict[str, str]:
        """The parameters as text, defaults filled in; in a text a `+` stands for a space.

        Raises ScenarioUnknown for a value of the wrong kind.
        """
        if len(given) > len(self.parameters):
            raise ScenarioUnknown(self.name, f"takes at most {len(self.parameters)} parameters")
        bound = {key: str(value) for key, value in self.parameters.items()}
        for (key, default), value in zip(self.parameters.items(), given, strict=False):
            if not isinstance(default, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
                raise ScenarioUnknown(self.name, f"{value!r} is no number (parameter {key})")
            bound[key] = value.replace("+", " ") if isinstance(default, str) else value
        return bound


def parse(name: str, text: str, place: str) -> Scenario:
    """The scenario of a TOML file. Raises ScenarioInvalid with the place in the file."""
    try:
        raw: dict[str, Any] = tomllib.loads(text)
        scenario = msgspec.convert({**raw, "name": name}, Scenario)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise ScenarioInvalid(place, str(problem)) from problem
    for number, step in enumerate(scenario.step, 1):
        problem_text = _problem(step)
        if problem_text:
            raise ScenarioInvalid(place, f"step {number}: {problem_text}")
    if not scenario.step:
        raise ScenarioInvalid(place, "it has no step")
    return scenario


def _problem(step: Step) -> str:
    if step.together and step.kind:
        return "`together` stands for itself; move the other action into it"
    if step.ending not in ENDINGS:
        return f"ending {step.ending!r} is not one of {', '.join(filter(None, ENDINGS))}"
    for pattern in (step.echo, step.expect):
        try:
            re.compile(pattern)
        except re.error as problem:
            return f"pattern {pattern!r}: {problem}"
    return next(filter(None, map(_action_problem, (step, *step.together))), "")


def _action_problem(action: Action) -> str:
    named = [name for name in ACTIONS if getattr(action, name)]
    problems = (
        (len(named) > 1, f"one action a step, not {' and '.join(named)}"),
        (action.edit and not action.old, "`edit` needs `old` and `new`"),
        (action.options and not action.ask, "`options` belong to `ask`"),
        (not named and not isinstance(action, Step), "an empty action in `together`"),
    )
    return next((problem for is_so, problem in problems if is_so), "")
