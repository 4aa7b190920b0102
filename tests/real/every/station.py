"""A workplace for one agent of the suite: its probe's words filled in, its runs and windows, what must hold."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from moor.agents import load_agent
from moor.agents.base import Installed
from moor.errors.agent import AgentMissing
from moor.store.db import connect
from moor.store.home import Home
from tests.real.every.probe import Probe
from tests.support.footprint import Picture, changes, picture, write_all
from tests.support.moor import Done, moor_command
from tests.support.network import strace
from tests.support.trap import Trap
from tests.support.window import Window
from tests.support.workplace import Workplace

MOORS_OWN = (".moor",)
RAN = "ran-"


class Station:
    """One agent at one workplace."""

    def __init__(self, agent_id: str, probe: Probe, place: Workplace, trap: Trap) -> None:
        self.agent_id = agent_id
        self.probe = probe
        self.place = place
        self.trap = trap
        self.log = place.folder.with_name(f"{place.folder.name}-trace")
        """outside of the folder: what moor sends to the upstream stands in it, credentials included"""
        self._words = {
            "@RAN@": f"touch {place.folder}/{RAN}",
            "@MARK@": f"{place.folder}/{RAN}",
            "@EVIL@": f"http://127.0.0.1:{trap.port}",
            "@HOME@": str(place.home.user),
            "@REPO@": str(place.repository),
            "@FORBIDDEN@": probe.forbidden,
        }

    # words and files

    def filled(self, text: str, **more: str) -> str:
        """The text with its words replaced; `more`: e.g. PROMPT, MODEL."""
        for word, value in {**self._words, **{f"@{name}@": value for name, value in more.items()}}.items():
            text = text.replace(word, value)
        return text

    def plant(self, folder: Path, files: Mapping[str, str], **more: str) -> None:
        """Write files of the probe below a folder."""
        write_all(folder, {self.filled(name): self.filled(text, **more) for name, text in files.items()})

    def poison(self) -> None:
        """Everything a repository can carry to harm, committed."""
        self.plant(self.place.repository, self.probe.hostile)
        self.place.git("add", "-A", "-f")
        self.place.git("commit", "-qm", "poison")

    def clean(self) -> None:
        """The repository as committed."""
        self.place.git("reset", "-q", "--hard")
        self.place.git("clean", "-qfdx")

    def marks(self) -> set[str]:
        """The canaries that ran."""
        return {path.name.removeprefix(RAN) for path in self.place.folder.glob(f"{RAN}*")}

    def forget_marks(self) -> None:
        """As if none had run."""
        for path in self.place.folder.glob(f"{RAN}*"):
            path.unlink()

    def picture(self) -> tuple[Picture, Picture]:
        """HOME without moor's own folder, and the repository, exactly."""
        return picture(self.place.home.user, without=MOORS_OWN), picture(self.place.repository)

    def assert_untouched(self, before: tuple[Picture, Picture], edited: Iterable[str] = ()) -> None:
        """HOME is the same bytes; in the repository only `edited` and what the agent cannot help changed."""
        home, repository = self.picture()
        assert changes(before[0], home) == []
        allowed = {f"~{name}" for name in (".", *edited)} | self.probe.kept_in_repository
        assert set(changes(before[1], repository)) - allowed == set()

    # starts

    @property
    def _model(self) -> list[str]:
        return ["--model", self.probe.model] if self.probe.model else []

    def run_argv(self, *argv: str) -> list[str]:
        """`run` with this agent and model."""
        return ["run", "--agent", self.agent_id, *self._model, "--json", *argv]

    def run(self, *argv: str, timeout: float = 90, env: Mapping[str, str] | None = None) -> Done:
        """`moor run`, to its end."""
        return self.place.moor(*self.run_argv(*argv), timeout=timeout, env=env)

    def must_run(self, *argv: str, timeout: float = 90) -> dict[str, Any]:
        """The result of a run that is meant to complete."""
        done = self.run(*argv, timeout=timeout)
        assert done.code == 0, f"ended with {done.code}\n{done.stdout}\n{done.stderr}\n{self.place.gateway_log()}"
        result: dict[str, Any] = done.last_json
        return result

    def run_watched(self, *argv: str) -> Done:
        """`moor run` under strace, which writes the addresses that are named to `log`."""
        done = subprocess.run(
            [*strace(self.log), *moor_command(), *self.run_argv(*argv)],
            env=self.place.environ,
            cwd=self.place.repository,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=110,
            check=False,
        )
        if "ptrace" in done.stderr and done.returncode:
            pytest.skip("this machine does not permit strace")
        return Done(done.returncode, done.stdout, done.stderr)

    def own_argv(self, args: Iterable[str], prompt: str = "") -> list[str]:
        """`moor AGENT` with arguments of the agent's own."""
        return [*self._model, self.agent_id, *[self.filled(arg, PROMPT=prompt) for arg in args]]

    def own(self, args: Iterable[str], prompt: str = "", *, env: Mapping[str, str] | None = None) -> Done:
        """`moor AGENT ARGS` without a terminal, to its end."""
        return self.place.moor(*self.own_argv(args, prompt), timeout=90, env=env)

    def window(self, *args: str, watched: bool = False) -> Window:
        """`moor AGENT` in a terminal of its own; `watched`: under strace."""
        rows, cols = self.probe.tui.size
        before = strace(self.log) if watched else []
        program = [*before, *moor_command(), *self.own_argv(args)]
        return self.place.window(program=program, rows=rows, cols=cols)

    # what must hold

    def rows(self, session_id: str) -> list[dict[str, Any]]:
        """Rows of the ledger of one session, oldest first."""
        with contextlib.closing(connect(self.place.store)) as db:
            cursor = db.execute("SELECT * FROM calls WHERE session = ? ORDER BY started_at", (session_id,))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def assert_harmless(self) -> None:
        """No canary ran, nobody called the trap, no header of the repository's went upstream."""
        assert self.marks() == set()
        assert self.trap.callers == 0
        for call in self.place.model_calls():
            assert "databricks-model-provider-service" not in [name.lower() for name in call["header_names"]]


def probe_of(agent_id: str) -> Probe:
    """The agent's probe; fails where there is none."""
    name = agent_id.replace("-", "_")
    try:
        module = importlib.import_module(f"tests.real.every.probes.{name}")
    except ModuleNotFoundError as problem:
        if problem.name and not problem.name.endswith(name):
            raise
        pytest.fail(f"{agent_id} has no probe: write tests/real/every/probes/{name}.py")
    probe: Probe = module.PROBE
    return probe


def installed(agent_id: str, agents: Path, home: Home) -> Installed:
    """The agent's program among the test agents; without it a test is skipped by name, and fails where CI is set."""
    import os

    try:
        return load_agent(agent_id).find(home, {**os.environ, "MOOR_TEST_AGENTS": str(agents)})
    except AgentMissing:
        message = f"{agent_id} is not installed for tests; type: make agents"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@contextlib.contextmanager
def trap() -> Iterator[Trap]:
    """An address nobody may call."""
    made = Trap()
    try:
        yield made
    finally:
        made.close()


def result_of(done: Done) -> dict[str, Any]:
    """The one result object of a run, however it ended."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, f"exit {done.code}\n{done.stdout}\n{done.stderr}"
    result: dict[str, Any] = json.loads(lines[0])
    return result


def joined_words(text: str) -> str:
    """The text with every run of blanks and line ends as one blank."""
    return " ".join(text.split())
