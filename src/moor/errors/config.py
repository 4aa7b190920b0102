"""Errors about settings: each names the file, the line, the key, and what to write instead."""

from __future__ import annotations

from pathlib import Path

from moor.errors.base import ExitCode, MoorError


class Place:
    """Where a setting stands: a file and line, an environment variable, or an option."""

    __slots__ = ("line", "name")

    def __init__(self, name: Path | str, line: int | None = None) -> None:
        self.name = str(name)
        self.line = line

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name} line {self.line}"


class ConfigError(MoorError):
    """A setting is wrong. Nothing was started."""

    ref = "config-invalid"
    exit_code = ExitCode.USAGE

    def __init__(self, *, place: Place, problem: str, hint: str, key: str = "") -> None:
        super().__init__(f"{place}: {problem}", hint=hint)
        self.place = place
        self.key = key
        self.problem = problem


class ConfigSyntaxError(ConfigError):
    """A file is not TOML."""

    ref = "config-syntax"

    def __init__(self, *, place: Place, problem: str) -> None:
        super().__init__(
            place=place,
            problem=f"not valid TOML: {problem}",
            hint=f"correct it ({_open_at(place)}), then: moor config show",
        )


class ConfigUnknownKeyError(ConfigError):
    """A key that moor does not know; `close` is the one it may have meant."""

    ref = "config-unknown-key"

    def __init__(self, *, place: Place, key: str, close: str, known: tuple[str, ...]) -> None:
        hint = f"did you mean {close} ?" if close else f"known here: {', '.join(known)}"
        super().__init__(place=place, key=key, problem=f"there is no setting {key}", hint=hint)
        self.close = close


class ConfigTypeError(ConfigError):
    """A value of the wrong type."""

    ref = "config-wrong-type"

    def __init__(self, *, place: Place, key: str, expected: str, found: str, example: str) -> None:
        super().__init__(
            place=place, key=key, problem=f"{key} must be {expected}, not {found}", hint=f"write it so: {example}"
        )
        self.expected = expected


class ConfigValueError(ConfigError):
    """A value of the right type that cannot be."""

    ref = "config-bad-value"

    def __init__(self, *, place: Place, key: str, problem: str, hint: str = "") -> None:
        super().__init__(
            place=place, key=key, problem=f"{key} {problem}", hint=hint or f"correct it ({_open_at(place)})"
        )


class ProjectSettingError(ConfigError):
    """A repository's file sets what only the user may set."""

    ref = "project-setting-refused"

    def __init__(self, *, place: Place, key: str, allowed: tuple[str, ...]) -> None:
        super().__init__(
            place=place,
            key=key,
            problem=f"a project file must not set {key}: whoever writes the repository would decide where your "
            "prompts and credentials go",
            hint=f"remove it there; a project file may set {', '.join(allowed)}; your own file: moor config path",
        )


class PolicyUntrustedError(ConfigError):
    """The administrator's policy file could have been written by somebody else; moor fails closed."""

    ref = "policy-untrusted"

    def __init__(self, *, place: Place, problem: str) -> None:
        super().__init__(
            place=place,
            problem=f"the administrator's policy is not to be trusted: {problem}",
            hint=f"ask your administrator: chown root {place.name} && chmod 644 {place.name}",
        )


class SettingUnknownError(MoorError):
    """`moor config set` or `unset` names a setting that does not exist."""

    ref = "setting-unknown"
    exit_code = ExitCode.USAGE

    def __init__(self, *, key: str, close: str) -> None:
        hint = f"did you mean {close} ?" if close else "moor config show lists the settings"
        super().__init__(f"there is no setting {key!r}", hint=hint)
        self.key = key


class SettingNotSetError(MoorError):
    """`moor config unset` names a setting that the user's file does not set."""

    ref = "setting-not-set"
    exit_code = ExitCode.USAGE

    def __init__(self, *, key: str, path: Path | str) -> None:
        super().__init__(f"{key} is not set in {path}", hint="moor config show --explain tells where it comes from")
        self.key = key


class InsideSessionError(MoorError):
    """A command that widens or reveals was typed by an agent, or in a shell of its session."""

    ref = "inside-session"
    exit_code = ExitCode.USAGE

    def __init__(self, *, command: str, session: str) -> None:
        super().__init__(
            f"`{command}` is refused inside a moor session: an agent must not widen its own limits",
            context=f"session {session}",
            hint=f"type it in a terminal of your own: {command}",
        )
        self.command = command
        self.session = session


class PeriodInvalidError(MoorError):
    """Neither a span nor a date."""

    ref = "period-invalid"
    exit_code = ExitCode.USAGE

    def __init__(self, *, text: str) -> None:
        super().__init__(
            f"{text!r} is neither a span nor a date", hint="moor usage --since 7d  (or 24h, today, 2026-01-31)"
        )
        self.text = text


def _open_at(place: Place) -> str:
    return f"${{EDITOR:-vi}} {f'+{place.line} ' if place.line else ''}{place.name}"
