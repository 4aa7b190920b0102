"""The two levels beside the user's own file: a repository's `.moor.toml`, and the administrator's policy.

Both are read with suspicion: the first because anybody may have written it (it may choose among what the
user set up, and narrow), the second because everything rests on it (it must be root's).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.domain.settings import BudgetSettings, Defaults, GuardSettings, PolicySettings, PriceSettings
from moor.errors.config import ConfigTypeError, ConfigValueError, Place, PolicyUntrustedError, ProjectSettingError
from moor.store.files import read_bounded
from moor.store.settings_parse import parse_budgets, parse_guard, parse_policy, parse_prices
from moor.store.settings_tables import (
    GROUPS,
    MAX_CONFIG_BYTES,
    Source,
    close_setting,
    parse_group,
    parse_toml,
    printable,
    unknown_key,
)
from moor.store.worktree import root_of

PROJECT_FILE: Final = ".moor.toml"
ADMIN_POLICY: Final = Path("/etc/moorage/policy.toml")
PROJECT_SETTINGS: Final = (
    "defaults.agent",
    "defaults.model",
    "defaults.small_model",
    "policy.allow",
    "policy.deny",
    "policy.budget_usd",
    "policy.budget_tokens",
)
_ADMIN_GROUPS: Final = ("policy", "budgets", "guard", "prices")
_MAX_PROJECT_BYTES: Final = 64 * 1024


class Level(msgspec.Struct, frozen=True):
    """What one file of these sets."""

    path: Path
    policy: PolicySettings
    defaults: dict[str, str] = {}
    """by dotted name"""
    budgets: dict[str, BudgetSettings] = {}
    guard: GuardSettings = GuardSettings()
    prices: dict[str, PriceSettings] = {}

    @property
    def caps_money(self) -> bool:
        """Whether it sets a cap in dollars."""
        return self.policy.budget_usd is not None or any(one.usd is not None for one in self.budgets.values())


def project_file(cwd: Path) -> Path | None:
    """The nearest `.moor.toml` from `cwd` up to the root of its git work tree; outside one, only in `cwd`."""
    root = root_of(cwd) or cwd
    inside = [cwd, *(folder for folder in cwd.parents if folder.is_relative_to(root))]
    candidates = (folder / PROJECT_FILE for folder in inside)
    return next((path for path in candidates if os.path.lexists(path)), None)


def project_level(cwd: Path) -> Level | None:
    """The project file's settings; None when there is none. Raises ProjectSettingError and its siblings."""
    path = project_file(cwd)
    if path is None:
        return None
    if path.is_symlink():
        raise ConfigValueError(
            place=Place(path), key=PROJECT_FILE, problem="is a link; a project file must be a file", hint=f"rm {path}"
        )
    data = read_bounded(path, _MAX_PROJECT_BYTES)
    if data is None:
        return None
    source, raw = parse_toml(path, data)
    _refuse_beyond(source, raw)
    chosen = parse_group(source, Defaults, raw.get("defaults", {}), "defaults")
    defaults = {f"defaults.{name}": getattr(chosen, name) for name in raw.get("defaults", {})}
    return Level(path, parse_policy(source, raw), defaults)


def admin_level(path: Path, uid: int) -> Level | None:
    """The administrator's `[policy]` and `[budgets]`; None when there is no such file.

    Raises PolicyUntrustedError when others than `uid` could have written it, FileUnreadableError.
    """
    try:
        seen = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise PolicyUntrustedError(place=Place(path), problem=error.strerror or str(error)) from error
    if seen.st_uid != uid:
        raise PolicyUntrustedError(place=Place(path), problem=f"it belongs to user id {seen.st_uid}")
    if stat.S_IMODE(seen.st_mode) & 0o022:
        raise PolicyUntrustedError(place=Place(path), problem="others may write it")
    data = read_bounded(path, MAX_CONFIG_BYTES)
    if data is None:
        return None
    source, raw = parse_toml(path, data)
    for key in raw:
        if key not in _ADMIN_GROUPS:
            raise unknown_key(source, (key,), _ADMIN_GROUPS)
    if not isinstance(raw.get("prices", {}), dict):
        raise ConfigTypeError(
            place=source.place("prices"),
            key="prices",
            expected="one table a model",
            found="a value",
            example='[prices."MODEL"]',
        )
    return Level(
        path,
        parse_policy(source, raw),
        budgets=parse_budgets(source, raw),
        guard=parse_guard(source, raw),
        prices=parse_prices(source, raw),
    )


def _refuse_beyond(source: Source, raw: Mapping[str, Any]) -> None:
    """Everything but the settings a repository may choose is an error, with the sentence why."""
    for group, table in raw.items():
        if not any(allowed.startswith(f"{group}.") for allowed in PROJECT_SETTINGS):
            close = close_setting((group,), ("defaults", "policy"))
            raise unknown_key(source, (group,), ("defaults", "policy")) if close else _beyond(source, group)
        if not isinstance(table, dict):
            raise ConfigTypeError(
                place=source.place(group), key=group, expected="a table", found="a value", example=f"[{group}]"
            )
        for name in table:
            if f"{group}.{name}" in PROJECT_SETTINGS:
                continue
            if name in GROUPS[group].__struct_fields__:
                raise _beyond(source, group, name)
            known = tuple(one.partition(".")[2] for one in PROJECT_SETTINGS if one.startswith(f"{group}."))
            raise unknown_key(source, (group, name), known)


def _beyond(source: Source, *key: str) -> ProjectSettingError:
    dotted = printable(".".join(key))
    return ProjectSettingError(place=source.place(*key), key=dotted, allowed=PROJECT_SETTINGS)
