"""npm as a downloader: exact packages, scripts off, into a folder of ours; what it says is put into words.

npm checks the sha512 of every package it unpacks against the registry's; we check it a second time against the
value pinned in our source where there is one, and record it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from moor.agents.recipe import Recipe, Say, some_versions
from moor.agents.tools import TOOLS, Stopped
from moor.errors.agent import AgentInstallFailed, NotInRegistry

TIMEOUT_S: Final = 900
CACHE: Final = ".npm-cache"
_DEPENDENCIES: Final = ("dependencies", "optionalDependencies")
_PLAIN: Final = re.compile(r"\d+\.\d+\.\d+")
_NO_SECRETS: Final = ("DATABRICKS_", "ARM_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "MOOR_", "AWS_")
_PATIENCE: Final = {"npm_config_fetch_retry_mintimeout": "1000", "npm_config_fetch_retry_maxtimeout": "5000"}
"""npm's own pauses between two tries, 10 s and more, make a dead network a minute of silence"""
_CAUSES: Final = (
    (("ENOSPC",), "the disk is full", "free some space and try again"),
    (("EROFS", "EACCES", "EPERM"), "a folder cannot be written", "check who owns ~/.moor"),
    (
        ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"),
        "the npm registry cannot be reached, or broke off",
        "check the network, HTTPS_PROXY, and `npm config get registry`",
    ),
    (
        ("SELF_SIGNED_CERT", "UNABLE_TO_VERIFY", "UNABLE_TO_GET_ISSUER", "CERT_"),
        "the npm registry's certificate is not trusted here",
        "name your company's certificates: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem",
    ),
    (
        ("npm does not support Node.js", "EBADENGINE", "SyntaxError: Unexpected token"),
        "npm and Node.js do not fit each other",
        "install Node.js 20 or later, with the npm that comes with it",
    ),
    (("E500", "E502", "E503", "E504"), "the npm registry fails", "try again later"),
    (("E401", "E403"), "the npm registry refuses us", "check the login of your registry: npm whoami"),
    (("EINTEGRITY",), "what arrived is not what the registry announced", "try again; tell your registry's keeper"),
)


class Npm:
    """One npm on PATH. `environ` is the user's own: proxies, certificates and mirrors count."""

    def __init__(self, agent: str, version: str, environ: Mapping[str, str]) -> None:
        self.agent = agent
        self.version = version
        self._environ = {
            **_PATIENCE,
            **{name: value for name, value in environ.items() if not name.startswith(_NO_SECRETS)},
        }
        found = shutil.which("npm", path=environ.get("PATH"))
        if found is None:
            raise AgentInstallFailed(
                agent=agent,
                version=version,
                problem="npm is not on PATH",
                hint="install Node.js 20 or later, which brings npm",
            )
        self._npm = found

    def fetch(self, recipe: Recipe, folder: Path, target: Path, say: Say) -> dict[str, str]:  # noqa: ARG002
        """Unpack the recipe below `folder`; path below node_modules to the sha512 integrity npm checked. BLOCKS."""
        got = self._from_lock(recipe.lock, folder) if recipe.lock else self._packages(recipe, folder, say)
        shutil.rmtree(folder / CACHE, ignore_errors=True)
        return got

    def newest(self, package: str, scratch: Path) -> str:
        """The version that the registry tags `latest`; empty when it tags none. BLOCKS."""
        text = self._run(["view", package, "dist-tags.latest", "--json"], scratch).strip()
        return text.strip('"') if _PLAIN.fullmatch(text.strip('"')) else ""

    def _packages(self, recipe: Recipe, folder: Path, say: Say) -> dict[str, str]:
        try:
            return self._install([*recipe.packages, *recipe.extras], folder)
        except NotInRegistry:
            if not recipe.extras:
                raise
            say(f"your npm registry lacks {', '.join(recipe.extras)} or the agent; trying without the extras")
            return self._install(list(recipe.packages), folder)

    def _install(self, packages: list[str], folder: Path) -> dict[str, str]:
        (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
        # by its folder, not by --prefix: that option would also move npm's global config, and with it the mirror
        # and the certificates that a company names there
        self._run(["install", "--ignore-scripts", "--no-save", "--omit=optional", *packages], folder)
        return _integrities(folder)

    def _from_lock(self, lock: Path, folder: Path) -> dict[str, str]:
        """Exactly what the lock says: `npm ci` checks each sha512 of it, and asks the registry for the addresses."""
        text = lock.read_text("utf-8")
        root = json.loads(text)["packages"][""]
        wanted = {"private": True, **{name: root[name] for name in _DEPENDENCIES if name in root}}
        (folder / "package.json").write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        (folder / "package-lock.json").write_text(text, encoding="utf-8")
        self._run(["ci", "--ignore-scripts", "--omit=dev"], folder)
        return _integrities(folder)

    def published_at(self, package: str, version: str, scratch: Path) -> float | None:
        """When that version came out, in seconds since the epoch; None when the registry does not say. BLOCKS.

        Raises NotInRegistry where it dates other versions and not that one.
        """
        text = self._run(["view", package, "time", "--json"], scratch)
        try:
            times = json.loads(text)
            if version in times:
                return datetime.fromisoformat(str(times[version])).timestamp()
            known = [str(name) for name in times if name not in {"created", "modified"}]
        except (ValueError, TypeError):
            return None
        if not known:
            return None
        raise NotInRegistry(agent=self.agent, version=self.version, context=some_versions(package, known))

    def _run(self, args: list[str], scratch: Path) -> str:
        argv = [self._npm, *args, "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        argv += ["--cache", str(scratch / CACHE), "--logs-max=0", "--fetch-retries=2"]
        try:
            done = TOOLS.run(argv, cwd=scratch, env=self._environ, timeout_s=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"npm took longer than {TIMEOUT_S // 60} minutes", "") from error
        except Stopped:
            raise
        except OSError as error:
            raise self._failed(f"npm cannot be started: {error.strerror}", "") from error
        if done.returncode != 0:
            raise self._explain(done.stderr or done.stdout)
        return done.stdout

    def _explain(self, said: str) -> AgentInstallFailed:
        lines = [line for line in said.splitlines() if line.strip() and "complete log" not in line]
        context = "\n".join(lines[:6])
        if any(word in said for word in ("E404", "ETARGET")):
            return NotInRegistry(agent=self.agent, version=self.version, context=context)
        for words, problem, hint in _CAUSES:
            if any(word in said for word in words):
                return self._failed(problem, context, hint)
        return self._failed("npm failed", context)

    def _failed(self, problem: str, context: str, hint: str = "") -> AgentInstallFailed:
        return AgentInstallFailed(agent=self.agent, version=self.version, problem=problem, context=context, hint=hint)


def _integrities(prefix: Path) -> dict[str, str]:
    lock = prefix / "node_modules" / ".package-lock.json"
    packages = json.loads(lock.read_text("utf-8")).get("packages", {})
    return {path.removeprefix("node_modules/"): str(entry.get("integrity", "")) for path, entry in packages.items()}
