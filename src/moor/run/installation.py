"""How this moor came onto the machine, and the command that brings a newer one by the same way.

Read from what installers leave: `direct_url.json` (PEP 610) and `INSTALLER` beside the package, `uv-receipt.toml` and
`pipx_metadata.json` in the environment, `EXTERNALLY-MANAGED` (PEP 668) in a Python of the system's.
"""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

DISTRIBUTION: Final = "moorage"

CHECKOUT: Final = "checkout"
UV_TOOL: Final = "uv tool"
PIPX: Final = "pipx"
PIP: Final = "pip"
SYSTEM: Final = "system package"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """One way, with its commands."""

    kind: str
    place: str
    """the environment, or the checkout"""
    file: str = ""
    """address of the file it was installed from, where it was no index"""
    upgrade: tuple[str, ...] = ()
    """brings the newest from the index; empty: moor does not do it by itself"""
    from_file: tuple[str, ...] = ()
    """installs another wheel: its path is put at the end"""
    ask: tuple[str, ...] = ()
    """says which version `upgrade` would bring, and changes nothing"""
    by_hand: str = ""
    """what to type where `upgrade` is empty"""


def this_installation(environ: Mapping[str, str]) -> Installation:
    """The moor that runs. BLOCKS on files."""
    import importlib.metadata

    found = importlib.metadata.distribution(DISTRIBUTION)
    record = _json(found.read_text("direct_url.json"))
    return installation(
        record,
        (found.read_text("INSTALLER") or "").strip(),
        prefix=Path(sys.prefix),
        in_environment=sys.prefix != sys.base_prefix,
        managed=Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists(),
        uv=shutil.which("uv", path=environ.get("PATH")) or "uv",
    )


def installation(
    record: Mapping[str, Any],
    installer: str,
    *,
    prefix: Path,
    in_environment: bool,
    managed: bool = False,
    uv: str = "uv",
    executable: str = sys.executable,
) -> Installation:
    """What those marks mean. `record`: content of direct_url.json, {} where there is none."""
    address = str(record.get("url", ""))
    if "dir_info" in record:
        folder = _path(address)
        return Installation(
            kind=CHECKOUT, place=folder, by_hand=f"git -C {folder} pull --ff-only && make -C {folder} env"
        )
    file = address if "archive_info" in record else ""
    if (prefix / "uv-receipt.toml").is_file():
        return _uv_tool(prefix, file, uv, executable)
    if (prefix / "pipx_metadata.json").is_file():
        return _pipx(prefix, file, executable)
    if not in_environment and (managed or installer not in ("pip", "uv")):
        return Installation(
            kind=SYSTEM,
            place=str(prefix),
            by_hand="the package manager of your system, e.g. apt upgrade python3-moorage",
        )
    return _pip(prefix, file, installer, uv, executable)


def _uv_tool(prefix: Path, file: str, uv: str, executable: str) -> Installation:
    return Installation(
        kind=UV_TOOL,
        place=str(prefix),
        file=file,
        upgrade=() if file else (uv, "tool", "upgrade", DISTRIBUTION),
        from_file=(uv, "tool", "install", "--force"),
        ask=_uv_ask(uv, executable),
        by_hand="uv tool install --force NEWER.whl",
    )


def _pipx(prefix: Path, file: str, executable: str) -> Installation:
    return Installation(
        kind=PIPX,
        place=str(prefix),
        file=file,
        upgrade=() if file else (PIPX, "upgrade", DISTRIBUTION),
        from_file=(PIPX, "install", "--force"),
        ask=_pip_ask(executable),
        by_hand="pipx install --force NEWER.whl",
    )


def _pip(prefix: Path, file: str, installer: str, uv: str, executable: str) -> Installation:
    pip: tuple[str, ...] = (executable, "-m", "pip", "install", "--upgrade")
    if installer == "uv":
        pip = (uv, "pip", "install", "--python", executable, "--upgrade")
    return Installation(
        kind=PIP,
        place=str(prefix),
        file=file,
        upgrade=() if file else (*pip, DISTRIBUTION),
        from_file=pip,
        ask=_uv_ask(uv, executable) if installer == "uv" else _pip_ask(executable),
        by_hand=f"{' '.join(pip)} NEWER.whl",
    )


def _pip_ask(executable: str) -> tuple[str, ...]:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--dry-run", "--report", "-")
    return (executable, "-m", "pip", "install", "--upgrade", *quiet, DISTRIBUTION)


def _uv_ask(uv: str, executable: str) -> tuple[str, ...]:
    return (uv, "pip", "install", "--python", executable, "--upgrade", "--no-deps", "--dry-run", DISTRIBUTION)


def answer(stdout: str, stderr: str) -> str:
    """The version in what `ask` printed; empty: nothing newer. pip prints a report, uv a line ` + moorage==1.2.3`."""
    for line in stderr.splitlines():
        if line.strip().startswith(f"+ {DISTRIBUTION}=="):
            return line.rpartition("==")[2].strip()
    for item in _json(stdout).get("install", []):
        if item["metadata"]["name"] == DISTRIBUTION:
            return str(item["metadata"]["version"])
    return ""


def _path(address: str) -> str:
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(address).path)


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
