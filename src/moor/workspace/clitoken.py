"""Tokens from the Databricks CLI, for those who sign in with it: `auth = "cli"` (facts/databricks 1.7)."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from moor.clock import Clock
from moor.errors.auth import CliFailed, CliMissing
from moor.secrets import Secret, redact
from moor.store.credentials import StoredCredential
from moor.workspace.kinds import CLI

_COMMAND: Final = "databricks auth token"
_TIMEOUT_S: Final = 15.0
_OLDEST: Final = (0, 207, 1)
"""below: no `--profile` on `auth token`; below 0.100 it is the older Python tool of the same name"""
_FORCES: Final = (0, 296, 0)
"""from here on it has `--force-refresh`"""
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_CHANGES_RESULT: Final = ("HOST", "TOKEN", "CLIENT_ID", "CLIENT_SECRET", "AUTH_TYPE", "CONFIG_PROFILE")


class _Answer(msgspec.Struct):
    access_token: str
    expiry: str = ""


class CliToken:
    """Asks `databricks auth token` for one workspace. BLOCKS up to 15 s a call."""

    def __init__(self, host: str, profile: str, environ: Mapping[str, str], clock: Clock) -> None:
        self._host = host
        self._profile = profile
        self._environ = {k: v for k, v in environ.items() if k not in {f"DATABRICKS_{n}" for n in _CHANGES_RESULT}}
        self._clock = clock

    def fetch(self, forced: bool) -> StoredCredential:
        """A token; `forced`: the last one is dead. Raises CliMissing, CliFailed."""
        program = self._program()
        arguments = [*_COMMAND.split()[1:], "--host", self._host]
        if self._profile:
            arguments += ["--profile", self._profile]
        if forced and self._version(program) >= _FORCES:
            arguments.append("--force-refresh")
        done = self._run(program, *arguments)
        if done.returncode != 0:
            raise CliFailed(_first_line(done.stderr), self._login_command())
        try:
            answer = msgspec.json.decode(done.stdout, type=_Answer)
        except msgspec.MsgspecError as error:
            raise CliFailed("its answer is not the expected JSON", self._login_command()) from error
        return StoredCredential(
            kind=CLI,
            access_token=Secret(answer.access_token),
            expires_at=_seconds(answer.expiry),
            host=self._host,
            generation=answer.access_token[-12:],
            saved_at=self._clock.now(),
        )

    def _program(self) -> str:
        named = self._environ.get("DATABRICKS_CLI_PATH")
        program = named or shutil.which(_COMMAND.split()[0], path=self._environ.get("PATH"))
        if not program:
            raise CliMissing("there is no `databricks` on the PATH")
        version = self._version(program)
        if version < _OLDEST:
            raise CliMissing(f"{program} is version {'.'.join(map(str, version))}, 0.207.1 or later is needed")
        return program

    def _version(self, program: str) -> tuple[int, ...]:
        done = self._run(program, "--version")
        found = _VERSION.search(done.stdout.decode(errors="replace"))
        return tuple(int(number) for number in found.groups()) if found else (0, 0, 0)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                env=self._environ,
                check=False,
            )
        except OSError as error:
            raise CliMissing(f"{program} does not start: {error.strerror}") from error
        except subprocess.TimeoutExpired:
            raise CliFailed(f"no answer within {_TIMEOUT_S:.0f} s", self._login_command()) from None

    def _login_command(self) -> str:
        return f"databricks auth login --host {self._host}" + (f" --profile {self._profile}" if self._profile else "")


def _first_line(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return redact(lines[0][:300]) if lines else "it said nothing"


def _seconds(expiry: str) -> float | None:
    """RFC 3339 with up to nine digits of fraction; None where it does not read."""
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", expiry)).timestamp()
    except ValueError:
        return None
