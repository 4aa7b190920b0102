"""Reads `~/.databrickscfg` without the traps of facts/databricks 1.5; never writes it."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from moor.errors.auth import ProfileFileInvalid, ProfileUnknown, ProfileUnusable
from moor.secrets import Secret
from moor.store.files import read_bounded

_MAX_BYTES: Final = 1024 * 1024
_SETTINGS: Final = "__settings__"
_DEFAULT: Final = "DEFAULT"
_NO_DEFAULT: Final = "\x00"
"""configparser leaks its default section into all others: name one that cannot occur"""


class Profile(NamedTuple):
    """One section; its secrets are `Secret`s. Keys as the file spells them, in small letters."""

    name: str
    path: str
    host: str
    auth_type: str
    token: Secret | None
    client_id: str
    client_secret: Secret | None
    workspace_id: str

    def pat(self) -> Secret:
        """The personal access token; raises ProfileUnusable."""
        if self.token is None or self.auth_type not in ("", "pat"):
            kind = self.auth_type or "no token"
            raise ProfileUnusable(
                self.name,
                self.path,
                f"holds no personal access token ({kind})",
                f"sign in instead: moor login --host {self.host or 'URL'}",
            )
        return self.token


def config_path(environ: Mapping[str, str]) -> Path:
    """DATABRICKS_CONFIG_FILE, else `~/.databrickscfg`."""
    named = environ.get("DATABRICKS_CONFIG_FILE")
    home = Path(environ.get("HOME") or "~").expanduser()
    if not named:
        return home / ".databrickscfg"
    return home / named[2:] if named.startswith("~/") else Path(named)


def load_profile(environ: Mapping[str, str], name: str = "") -> Profile:
    """The named profile, or the one that the environment or the file makes the default.

    Order: `name`, DATABRICKS_CONFIG_PROFILE, `[__settings__] default_profile`, `[DEFAULT]` when it has keys.
    Raises ProfileUnknown, ProfileFileInvalid, ProfileUnusable (no host).
    """
    path = config_path(environ)
    sections = read_sections(path)
    settings = sections.pop(_SETTINGS, {})
    wanted = name or environ.get("DATABRICKS_CONFIG_PROFILE") or settings.get("default_profile") or _DEFAULT
    section = sections.get(wanted)
    if not section:
        raise ProfileUnknown(wanted, str(path), tuple(known for known, keys in sections.items() if keys))
    profile = _profile(wanted, str(path), section)
    if not profile.host:
        raise ProfileUnusable(wanted, str(path), "names no host", f"add host = https://… to [{wanted}]")
    return profile


def read_sections(path: Path) -> dict[str, dict[str, str]]:
    """All sections with their own keys only; {} when there is no file. Raises ProfileFileInvalid."""
    data = read_bounded(path, _MAX_BYTES)
    if data is None:
        return {}
    parser = configparser.ConfigParser(default_section=_NO_DEFAULT, interpolation=None, strict=True)
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ProfileFileInvalid(str(path), None, "it is not UTF-8 text") from error
    except configparser.Error as error:
        # the parser quotes the line, which may hold a token: only its number is told
        raise ProfileFileInvalid(str(path), _line_of(error), _problem_of(error)) from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _line_of(error: configparser.Error) -> int | None:
    line = getattr(error, "lineno", None)
    if isinstance(line, int):
        return line
    lines = getattr(error, "errors", None)
    return int(lines[0][0]) if lines else None


def _problem_of(error: configparser.Error) -> str:
    if isinstance(error, configparser.MissingSectionHeaderError):
        return "there is no [section] line above it"
    if isinstance(error, configparser.DuplicateSectionError):
        return f"the section [{error.section}] stands there twice"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"the key {error.option!r} stands twice in [{error.section}]"
    return "it is neither a [section] nor a line `key = value`"


def _profile(name: str, path: str, section: Mapping[str, str]) -> Profile:
    token, secret = section.get("token", ""), section.get("client_secret", "")
    return Profile(
        name=name,
        path=path,
        host=section.get("host", ""),
        auth_type=section.get("auth_type", ""),
        token=Secret(token) if token else None,
        client_id=section.get("client_id", ""),
        client_secret=Secret(secret) if secret else None,
        workspace_id=section.get("workspace_id", ""),
    )
