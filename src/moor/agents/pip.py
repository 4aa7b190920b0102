"""pip as a downloader: wheels only, into an environment of the agent's own; what it says is put into words.

pip checks the sha256 of every wheel against the lock that ships with moor, where there is one (`--require-hashes`).
The environment is built aside and renamed; `settle` writes the final path into its launcher scripts first. An agent
is started as `bin/python -I bin/NAME`: nothing of the working directory or of PYTHON* is on its path then.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from moor.agents.recipe import Recipe, Say, newest, some_versions
from moor.agents.tools import TOOLS, Stopped
from moor.errors.agent import AgentInstallFailed, NotInIndex

TIMEOUT_S: Final = 1_800
_OWN_INDEX: Final = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
"""where pip's configuration names no index, pip knows one"""

_OLDEST: Final = (3, 11)
_NEWEST: Final = (3, 13)
_NO_SECRETS: Final = ("DATABRICKS_", "ARM_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "MOOR_", "AWS_")
_ELSEWHERE: Final = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_REPORT")
"""settings that would install to another place than the environment"""
_CAUSES: Final = (
    (("No space left on device", "Errno 28"), "the disk is full", "free some space and try again"),
    (
        ("do not match the hashes", "DO NOT MATCH THE HASHES"),
        "what arrived is not what this moor was tested with",
        "",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLCertVerificationError", "SSLError"),
        "the package index's certificate is not trusted here",
        "name your company's certificates: export PIP_CERT=/path/to/ca.pem",
    ),
    (("401 Client Error", "403 Client Error"), "the package index refuses us", "check the login in pip's index-url"),
    (
        (
            "NewConnectionError",
            "ConnectionError",
            "Connection refused",
            "ConnectionReset",
            "timed out",
            "ProtocolError",
        )
        + ("Name or service not known", "Temporary failure in name resolution", "IncompleteRead", "ProxyError"),
        "the package index cannot be reached",
        "check the network, HTTPS_PROXY, and: python3 -m pip config list",
    ),
    (("Permission denied", "Read-only file system"), "a folder cannot be written", "check who owns ~/.moor"),
)
_ABSENT: Final = ("No matching distribution found", "Could not find a version")
_MAX_LISTING_BYTES: Final = 64 << 20
_PLAIN: Final = re.compile(r"\d+(\.\d+)*")


class Pip:
    """The package installer of one agent's environment. `environ` is the user's own: proxies and mirrors count."""

    def __init__(self, agent: str, version: str, environ: Mapping[str, str]) -> None:
        self.agent = agent
        self.version = version
        self._environ = {
            name: value
            for name, value in environ.items()
            if not name.startswith(_NO_SECRETS) and name not in _ELSEWHERE
        }

    def fetch(self, recipe: Recipe, folder: Path, target: Path, say: Say) -> dict[str, str]:  # noqa: ARG002
        """The environment of the recipe at `folder`, made to be renamed to `target`. BLOCKS."""
        got = self.install(list(recipe.packages), folder, recipe.lock)
        settle(folder, target)
        return got

    def newest(self, package: str, scratch: Path) -> str:  # noqa: ARG002
        """The highest version that is no pre-release; empty when the index does not say. BLOCKS."""
        name, index = _normal(package), self._index()
        versions = self._listing(f"{index}/{name}/").get("versions")
        if not isinstance(versions, list):
            versions = list(self._older_listing(index, name).get("releases") or ())
        return newest(str(one) for one in versions if _PLAIN.fullmatch(str(one)))

    def install(self, packages: list[str], prefix: Path, lock: Path | None = None) -> dict[str, str]:
        """An environment at `prefix` with these `name==version`s, or with exactly the lock; `name==version` to the
        sha256 that pip checked. BLOCKS. Raises AgentInstallFailed, NotInIndex.
        """
        self._create(prefix)
        report = prefix / ".pip-report.json"
        # a cache would be written into the user's home
        options = ["--only-binary", ":all:", "--no-cache-dir", "--report", str(report)]
        # without a second try it does not say that the index gave no answer
        options += ["--retries", "2"]
        wanted = ["--require-hashes", "-r", str(lock)] if lock is not None else packages
        self._pip(prefix, ["install", *options, *wanted])
        got = received(report)
        report.unlink()
        return got

    def published_at(self, package: str, version: str, scratch: Path) -> float | None:  # noqa: ARG002 - as npm's
        """When that version came out, in seconds since the epoch; None when the index does not say. BLOCKS.

        Raises NotInIndex where it lists other versions and not that one.
        """
        name, index = _normal(package), self._index()
        page = self._listing(f"{index}/{name}/")
        files, known = page.get("files"), page.get("versions")
        if not isinstance(files, list):
            known = self._older_listing(index, name).get("releases")
            files = known.get(version) if isinstance(known, dict) else None
        if known and isinstance(known, (list, dict)) and version not in known:
            raise NotInIndex(agent=self.agent, version=self.version, context=some_versions(name, known))
        stamps = [stamp for file in files or () if (stamp := _stamp(file, name, version)) is not None]
        return min(stamps, default=None)

    def _create(self, prefix: Path) -> None:
        python = self._python()
        done = self._run([python, "-I", "-m", "venv", str(prefix)])
        if done.returncode == 0:
            return
        said = done.stdout + done.stderr
        if "ensurepip" in said or "No module named venv" in said:
            raise self._failed(
                f"{python} cannot make environments", said[-400:], "Debian, Ubuntu: apt install python3-venv"
            )
        raise self._explain(said)

    def _python(self) -> str:
        """An interpreter of a version that Python agents work with: this one, else one on PATH."""
        if _OLDEST <= sys.version_info[:2] <= _NEWEST:
            return str(getattr(sys, "_base_executable", "") or sys.executable)
        for minor in range(_NEWEST[1], _OLDEST[1] - 1, -1):
            found = shutil.which(f"python3.{minor}", path=self._environ.get("PATH"))
            # version managers put stand-ins on PATH for versions that are not there
            if found and self._run([found, "-I", "-c", "import venv"]).returncode == 0:
                return found
        raise self._failed(
            "it needs Python 3.11, 3.12 or 3.13, and none of them is on PATH", "", "install python3.13 and try again"
        )

    def _pip(self, prefix: Path, args: list[str]) -> str:
        python = str(prefix / "bin" / "python")
        done = self._run([python, "-I", "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check", *args])
        if done.returncode != 0:
            raise self._explain(done.stderr or done.stdout)
        return done.stdout

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return TOOLS.run(argv, cwd="/", env=self._environ, timeout_s=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"pip took longer than {TIMEOUT_S // 60} minutes", "") from error
        except Stopped:
            raise
        except OSError as error:
            raise self._failed(f"{argv[0]} cannot be started: {error.strerror}", "") from error

    def _explain(self, said: str) -> AgentInstallFailed:
        lines = [line for line in said.splitlines() if line.strip() and "notice" not in line]
        context = "\n".join(lines[-6:])
        for words, problem, hint in _CAUSES:
            if any(word in said for word in words):
                return self._failed(problem, context, hint)
        if any(word in said for word in _ABSENT):
            return NotInIndex(agent=self.agent, version=self.version, context=context)
        return self._failed("pip failed", context)

    def _failed(self, problem: str, context: str, hint: str = "") -> AgentInstallFailed:
        return AgentInstallFailed(agent=self.agent, version=self.version, problem=problem, context=context, hint=hint)

    def _index(self) -> str:
        """The index that pip's own settings name (environment before files), without a slash at its end."""
        done = self._run([self._python(), "-I", "-m", "pip", "config", "list"])
        named = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        for key in (":env:.index-url", "install.index-url", "global.index-url"):
            if key in named:
                return named[key].strip("'\"").rstrip("/")
        return self._run([self._python(), "-I", "-c", _OWN_INDEX]).stdout.strip().rstrip("/")

    def _older_listing(self, index: str, name: str) -> dict[str, Any]:
        """The form that mirrors often pass on whose own pages are without versions and dates."""
        return self._listing(f"{index.removesuffix('/simple')}/pypi/{name}/json")

    def _listing(self, url: str) -> dict[str, Any]:
        """A page of the index in its JSON form (PEP 691, 700); {} where it has none."""
        import urllib.error
        import urllib.request

        if not url.startswith(("https://", "http://")):
            return {}
        request = urllib.request.Request(url, headers={"Accept": "application/vnd.pypi.simple.v1+json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the scheme is checked
                found = json.loads(answer.read(_MAX_LISTING_BYTES))
        except (urllib.error.URLError, OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def settle(prefix: Path, target: Path) -> None:
    """Make the environment at `prefix` ready to be renamed to `target`: its launcher scripts name their python."""
    for script in (prefix / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        data = script.read_bytes()
        if str(prefix).encode() in data:
            script.write_bytes(data.replace(str(prefix).encode(), str(target).encode()))
    config = prefix / "pyvenv.cfg"
    config.write_text(config.read_text("utf-8").replace(str(prefix), str(target)), encoding="utf-8")


def _normal(package: str) -> str:
    return package.partition("[")[0].replace("_", "-").replace(".", "-").lower()


def received(report: Path) -> dict[str, str]:
    """`NAME==VERSION` to `sha256-…` of what an install report names."""
    got = {}
    for entry in json.loads(report.read_text("utf-8")).get("install", []):
        metadata = entry["metadata"]
        archive = entry["download_info"].get("archive_info", {})
        # pip before 23.1 tells one only, as "sha256=…"
        told = archive.get("hash", "")
        sha256 = archive.get("hashes", {}).get("sha256") or told.removeprefix("sha256=")
        got[f"{metadata['name']}=={metadata['version']}"] = f"sha256-{sha256}"
    return got


def _stamp(file: Any, name: str, version: str) -> float | None:
    """The upload time of a file of that version; None for another file, or where the index states none."""
    if not isinstance(file, dict):
        return None
    filename = str(file.get("filename", "")).lower().replace("_", "-")
    if not filename.startswith((f"{name}-{version}-", f"{name}-{version}.tar")):
        return None
    try:
        return datetime.fromisoformat(str(file.get("upload-time") or file.get("upload_time_iso_8601"))).timestamp()
    except ValueError:
        return None
