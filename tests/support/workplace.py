"""One imaginary user at work: signed in to a simulated workspace, in a repository, with the real OpenCode."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from moor.domain.session import Session
from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from moor.store.sessions import SessionStore
from tests.support.home import MoorHome, fresh_home
from tests.support.moor import Done, moor_command, run_moor_process
from tests.support.web import private_authority
from tests.support.window import Window

UPSTREAM = "s"
_SANDBOXED = (".git", ".agents", ".codex", ".aws")
TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
_Found = TypeVar("_Found")
Used = dict[str, dict[str, int]]
"""model to calls and tokens by kind"""


class Workplace:
    """Folders, simulator and the commands that a user types. All below one folder, by which processes are found."""

    def __init__(self, folder: Path, sim: EmbeddedSim, agents: Path) -> None:
        self.folder = folder
        self.sim = sim
        self.home: MoorHome = fresh_home(folder)
        self.repository = self.home.work
        self.authority = ""
        """PEM file of the authority to trust where the workspace is reached through TLS"""
        (folder / "tmp").mkdir()
        self.environ = {
            **self.home.environ,
            "MOOR_TEST_AGENTS": str(agents),
            "TMPDIR": str(folder / "tmp"),
            "SHELL": "/bin/bash",
        }

    def moor(self, *argv: str, timeout: float = 60, env: Mapping[str, str] | None = None) -> Done:
        """A command to its end."""
        return run_moor_process(argv, {**self.environ, **(env or {})}, cwd=self.repository, timeout=timeout)

    def must(self, *argv: str, timeout: float = 60) -> Done:
        """A command that is meant to end with 0."""
        done = self.moor(*argv, timeout=timeout)
        assert done.code == 0, f"moor {' '.join(argv)} ended with {done.code}\n{done.stdout}\n{done.stderr}"
        return done

    def sign_in(self) -> None:
        """Add the simulator as upstream and sign in."""
        trust = ["--ca-file", self.authority] if self.authority else []
        self.must("upstream", "add", UPSTREAM, "--kind", "sim", "--host", self.sim.url, *trust)
        self.must("login", "--upstream", UPSTREAM)

    def make_repository(self, scenario: str = "fix-test") -> None:
        """A git repository with the files that a scenario plays on, committed."""
        from moor.sim.script.library import Library

        for name, text in Library.load().files(scenario).items():
            (self.repository / name).write_text(text, encoding="utf-8")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "start")

    def git(self, *argv: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(
            ["git", *argv], cwd=self.repository, env=self.environ, check=True, capture_output=True, encoding="utf-8"
        )
        return done.stdout

    def window(self, *argv: str, program: list[str] | None = None, **size: int) -> Window:
        """`moor ARGV` (or another program) in a terminal of its own."""
        command = program if program is not None else [*moor_command(), *argv]
        return Window(command, self.environ, self.repository, **size)

    @contextlib.contextmanager
    def background(self, *argv: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
        """A `moor` command that runs while the block does; whatever is left of it is killed."""
        child: subprocess.Popen[str] = subprocess.Popen(
            [*moor_command(), *argv],
            **{
                "env": self.environ,
                "cwd": self.repository,
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "encoding": "utf-8",
                "start_new_session": True,
                **how,
            },
        )
        with child:
            try:
                yield child
            finally:
                if child.poll() is None:
                    child.kill()

    @property
    def store(self) -> Home:
        """The same MOOR_HOME, for looking into its stores."""
        return Home.from_environ(self.environ)

    def sessions(self) -> list[Session]:
        """Rows of the sessions, newest first, as they stand: nothing is swept on the way."""
        if not self.store.db_path.exists():
            return []
        with contextlib.closing(SessionStore(self.store)) as store:
            return store.all(active=False, limit=200)

    def session(self) -> Session:
        """The newest one."""
        return self.sessions()[0]

    def processes(self) -> dict[int, str]:
        """pid to command of every process that belongs here: by its environment or its working directory."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid() and self._is_ours(entry):
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    found[int(entry.name)] = b" ".join(words).decode(errors="replace").strip()
        return {pid: command for pid, command in found.items() if command}

    def _is_ours(self, entry: Path) -> bool:
        try:
            here = str((entry / "cwd").readlink()).startswith(str(self.folder))
            return here or str(self.folder).encode() in (entry / "environ").read_bytes()
        except OSError:
            return False

    def pid_of(self, part: str) -> int:
        """The process whose command holds a text; fails unless there is exactly one."""
        found = [pid for pid, command in self.processes().items() if part in command]
        assert len(found) == 1, f"{part}: {found} of {self.processes()}"
        return found[0]

    def wait_gone(self, within_s: float = 5.0) -> None:
        """Fails when a process of ours is left after that time."""
        end = time.monotonic() + within_s
        while left := self.processes():
            assert time.monotonic() < end, f"left behind after {within_s} s: {left}"
            time.sleep(0.05)

    def wait_for_process(self, part: str, within_s: float = 60.0) -> int:
        """The pid of a process whose command holds a text, once there is one."""

        def look() -> int | None:
            return next((pid for pid, command in self.processes().items() if part in command), None)

        return wait_until(look, f"no process with {part!r}", within_s)

    def wait_ended(self, within_s: float = 5.0) -> Session:
        """The newest session, once it is marked as ended."""
        return wait_until(
            lambda: next((one for one in self.sessions()[:1] if one.ended_at is not None), None),
            "the session is not marked as ended",
            within_s,
        )

    def assert_clean_end(self) -> Session:
        """No process, no session folder, no socket: the newest session has ended and left nothing.

        Nor empty folders of a sandbox, neither in the work tree nor beside all others.
        """
        self.wait_gone()
        session = self.wait_ended(1.0)
        assert not (self.store.sessions_dir / session.id).exists()
        left = [folder / name for folder in (self.repository, Path("/tmp")) for name in _SANDBOXED]
        assert not [path for path in left if path.is_dir() and not any(path.iterdir())]
        return session

    def gateway_log(self) -> str:
        """What a gateway said that could not even log."""
        path = self.store.log_dir / "gateway.log"
        return path.read_text(encoding="utf-8")[-2000:] if path.exists() else ""

    def model_calls(self) -> list[dict[str, Any]]:
        """The simulator's log of requests that named a model."""
        return [seen for seen in self.sim.control.requests() if seen["model"]]

    def used(self) -> tuple[Used, Used]:
        """Calls and tokens of each model so far: by the ledger, and by the simulator's own count."""
        rows = self.must("usage", "--by", "model", "--json").last_json
        return _by_model(rows), _by_model(self.sim.control.usage()["models"])

    def assert_ledger_equals_sim(self, since: tuple[Used, Used] = ({}, {})) -> None:
        """What the ledger says of each model is what the simulator counted; `since`: of what came after."""
        ours, theirs = (_beyond(now, before) for now, before in zip(self.used(), since, strict=True))
        assert ours == theirs
        assert theirs

    def credentials(self) -> list[str]:
        """The upstream's secrets as they lie in the one file that may hold them."""
        stored = CredentialStore(self.store).load(UPSTREAM)
        assert stored is not None
        return [secret.reveal() for secret in (stored.access_token, stored.refresh_token) if secret]


@contextlib.contextmanager
def workplace(
    folder: Path, agents: Path, scripts: Mapping[str, str] | None = None, *, tls: bool = False, **config: Any
) -> Iterator[Workplace]:
    """A signed-in user in a committed repository; at the end every process that is left is killed.

    `scripts`: further scenarios of the simulator, TOML by name; `tls`: it is reached through TLS, with an authority
    of its own; `config`: fields of SimConfig.
    """
    folder = folder.resolve()
    (folder / "scripts").mkdir()
    for name, text in (scripts or {}).items():
        (folder / "scripts" / f"{name}.toml").write_text(text, encoding="utf-8")
    if tls:
        authority = str(private_authority(folder).ca_file)
        config |= {"tls_cert": str(folder / "s.pem"), "tls_key": str(folder / "s.key")}
    with EmbeddedSim(SimConfig(scenarios_dir=str(folder / "scripts"), **config)) as sim:
        place = Workplace(folder, sim, agents)
        place.authority = authority if tls else ""
        place.make_repository()
        place.sign_in()
        try:
            yield place
        finally:
            for pid in place.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def wait_until(
    look: Callable[[], _Found | None], complaint: str | Callable[[], str], within_s: float = 10.0
) -> _Found:
    """What `look` returns, once it is something; fails with the complaint."""
    end = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{complaint() if callable(complaint) else complaint} ({within_s} s)")
        time.sleep(0.05)


def last_json(text: str) -> Any:
    """The JSON document on the last line."""
    return json.loads(text.splitlines()[-1])


def _by_model(rows: list[dict[str, Any]]) -> Used:
    return {row["model"]: {name: row[name] for name in ("calls", *TOKENS)} for row in rows}


def _beyond(now: Used, before: Used) -> Used:
    """What came after `before`; models without a call since are left out."""
    grown = {
        model: {name: count - before.get(model, {}).get(name, 0) for name, count in counts.items()}
        for model, counts in now.items()
    }
    return {model: counts for model, counts in grown.items() if any(counts.values())}
