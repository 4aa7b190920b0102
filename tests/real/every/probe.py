"""What the suite over every agent must know of one: data and a few functions, in `probes/<agent>.py` as `PROBE`.

Texts of files and arguments may hold these words, which are replaced:

- `@RAN@`: a shell command that leaves a mark; `@RAN@hook` leaves `ran-hook` in the place's folder, and a test that
  finds it there knows that the program ran. `@MARK@hook` is the path of that mark alone.
- `@EVIL@`: `http://127.0.0.1:PORT` where nobody may call; the test counts who does.
- `@HOME@`, `@REPO@`: the user's home and the repository.
- `@MODEL@`, `@SMALL@`: the models of the session; `@FORBIDDEN@`: one that the upstream serves in a dialect of the
  agent's, and the policy denies.
- `@PROMPT@`: what is asked.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping

from tests.support import tui
from tests.support.window import Window

Screen = str | Callable[[str], bool]
"""a text that stands on the screen, or a function that says so"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tui:
    """How a person uses the agent's own interface."""

    ready: Screen
    """it takes a prompt"""
    quit: tuple[str, ...]
    """keys that leave it, as its help says, one after the other with a pause: `("/exit", tui.ENTER)`"""
    exit_code: int = 0
    """its own, when it is left like that"""
    allow: tuple[tuple[str, str], ...] = ()
    """(text of a permission question on the screen, keys that allow it): answered as often as they come"""
    picker: tuple[str, ...] = ()
    """keys that open its list of models, e.g. `("/models", tui.ENTER)`; empty: it has none"""
    pause_s: float = 0.3
    """between a typed prompt and Enter: some take an Enter that follows at once for a part of a paste"""
    size: tuple[int, int] = (34, 110)
    """rows and columns"""

    def start(self, window: Window) -> None:
        """Wait until it takes a prompt."""
        window.wait_for(self.ready, 60)
        tui.settle(window, 0.7, 5.0)

    def ask(self, window: Window, prompt: str) -> None:
        """Type a prompt and send it."""
        window.keys(prompt)
        window.wait_for(lambda screen: prompt[-12:] in screen.replace("\n", ""), 20)
        time.sleep(self.pause_s)
        window.keys(tui.ENTER)

    def wait_answer(self, window: Window, words: str, within_s: float = 60.0) -> None:
        """Wait for words of the answer; permission questions on the way are allowed."""
        end = time.monotonic() + within_s
        while words not in joined(window.text):
            assert time.monotonic() < end, (
                f"{words!r} did not come within {within_s} s on this screen:\n{window.text}"
            )
            self.allow_what_is_asked(window)
            time.sleep(0.1)

    def allow_what_is_asked(self, window: Window) -> None:
        """Answer a permission question that stands on the screen."""
        for question, keys in self.allow:
            if question in window.text:
                window.keys(keys)
                tui.settle(window, 0.4, 3.0)

    def type(self, window: Window, keys: tuple[str, ...]) -> None:
        """Type one after the other, with a pause after each."""
        for each in keys:
            window.keys(each)
            time.sleep(self.pause_s)

    def leave(self, window: Window) -> int:
        """Leave it; the exit code."""
        tui.settle(window, 0.5, 5.0)
        self.type(window, self.quit)
        return window.wait(20)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bypass:
    """One try to reach a model that the policy denies. Whatever it does: no call for that model goes upstream."""

    name: str
    args: tuple[str, ...] | None = None
    """the agent's own arguments; None: `moor run --json` of a prompt"""
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """in the repository"""
    own_files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """in the user's HOME"""
    typed: tuple[str, ...] = ()
    """prompts and commands typed in the agent's own interface, each ended by Enter"""
    says: str = ""
    """what the user reads; empty: anything, also that another model answers"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Probe:
    """One agent."""

    tui: Tui
    model: str = ""
    """of the simulated workspace; empty: what moor picks"""
    forbidden: str
    """a model of the workspace in one of the agent's dialects, never its main nor its small one"""
    shot: tuple[str, ...]
    """the agent's own arguments that answer one prompt without a terminal, e.g. `("-p", "@PROMPT@")`"""
    resume: tuple[str, ...] = ()
    """… that do so in the folder's last conversation; empty: it cannot"""
    own_files: Mapping[str, str]
    """what a user of the agent has in HOME: settings with another address, key, model, hooks, MCP servers (`@RAN@`
    in everything that would run), rules that say RULES-MARKER-of-the-user, a skill, a command"""
    user_rules_heard: bool = True
    """its own rules file for all projects is among `own_files`, and reaches the model"""
    hostile: Mapping[str, str]
    """what a repository carries to harm: settings with env, address, key and model, hooks, MCP servers, plugins,
    commands and agents with a model of their own, `.env`; its rules file says RULES-MARKER-of-the-repository"""
    left_out: tuple[str, ...]
    """words of the line that names what was left out of `hostile`"""
    trusted: frozenset[str]
    """marks that stand once the repository is trusted"""
    bypasses: tuple[Bypass, ...]
    user_canary_env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """environment of the user's that would lead the agent off the wire"""
    kept_in_repository: frozenset[str] = frozenset()
    """changes of the repository that the agent makes whatever it is told, as `tests.support.footprint` writes them"""
    asks: bool = True
    """it has a tool that asks the user"""
    spawns: bool = True
    """it has a tool that starts a sub-agent, and the scenario `spawn` finds it"""
    too_old: str
    too_new: str
    """versions that cannot work and that were not tested: both are refused, or noted with the way back"""
    gaps: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """name of a test of the suite to the sentence that says why it cannot hold for this agent; stands in the docs"""

    def not_proven(self) -> dict[str, str]:
        """Name of a test of the suite to the sentence that says why it is not run for this agent."""
        lacks = {
            "test_its_own_arguments_answer_a_prompt_and_continue_the_conversation": (
                not self.resume,
                "no argument of it continues a conversation without a terminal",
            ),
            "test_a_question_nobody_can_answer_is_rejected_and_the_work_goes_on": (
                not self.asks,
                "it has no tool that asks the user when moor drives it",
            ),
            "test_trust_lets_its_programs_in_but_neither_models_nor_addresses": (
                not self.trusted,
                "nothing of a repository can be let in for it",
            ),
            "test_its_list_of_models_offers_no_denied_one": (not self.tui.picker, "it has no list of models"),
            "test_its_calls_are_in_the_ledger_under_its_own_name": (not self.spawns, "it has no sub-agents"),
            "test_eight_sub_agents_share_one_cap": (not self.spawns, "it has no sub-agents"),
        }
        return {name: why for name, (absent, why) in lacks.items() if absent} | dict(self.gaps)


def joined(screen: str) -> str:
    """The screen as running text: lines that a box or an indent broke are joined by one blank."""
    return " ".join(line.strip(" │┃|▌") for line in screen.splitlines())
