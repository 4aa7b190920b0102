"""Signing in: what is missing, refused or too late, and the command to type."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError, UsageError


class SignInNeeded(MoorError):
    """There is no credential that the upstream takes, and none can be had without a person."""

    ref = "sign-in-needed"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, upstream: str, reason: str, command: str = "") -> None:
        super().__init__(
            f"upstream {upstream} needs a sign-in: {reason}", hint=command or f"moor login --upstream {upstream}"
        )
        self.upstream = upstream
        self.reason = reason


class SignInRefused(MoorError):
    """The sign-in page or the token endpoint said no."""

    ref = "sign-in-refused"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, host: str, error: str, description: str = "") -> None:
        super().__init__(
            f"{host} refused the sign-in: {error}", context=description, hint="try again: moor login --host " + host
        )
        self.host = host
        self.error = error
        self.description = description


class SignInTimeout(MoorError):
    """Nobody finished the sign-in in the browser."""

    ref = "sign-in-timeout"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, host: str, waited_s: float) -> None:
        super().__init__(
            f"the sign-in to {host} was not finished within {round(waited_s)} s",
            hint=f"moor login --host {host} --no-browser (for SSH: prints the address, takes the answer pasted)",
        )
        self.host = host
        self.waited_s = waited_s


class SignInMismatch(MoorError):
    """An answer to another sign-in than the one that was started."""

    ref = "sign-in-mismatch"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the answer does not belong to this sign-in: {problem}",
            hint="start again, and use the newest address: moor login",
        )
        self.problem = problem


class SignInPortsBusy(MoorError):
    """No redirect port that the workspace accepts is free."""

    ref = "sign-in-ports-busy"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, first: int, last: int) -> None:
        super().__init__(
            f"ports {first} to {last} on this machine are all taken, and sign-in needs one of them",
            hint="moor login --no-browser works without a port",
        )
        self.first = first
        self.last = last


class RefreshRefused(MoorError):
    """The token endpoint refuses the refresh token: signed out, rotated elsewhere, or too old."""

    ref = "refresh-refused"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, host: str, error: str, description: str = "") -> None:
        super().__init__(
            f"{host} refuses to renew the session: {error}", context=description, hint=f"moor login --host {host}"
        )
        self.host = host
        self.error = error
        self.description = description


class TokenMissing(MoorError):
    """A token was announced but none was given."""

    ref = "token-missing"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, where: str, hint: str) -> None:
        super().__init__(f"no token in {where}", hint=hint)
        self.where = where


class TokenMalformed(MoorError):
    """What was given cannot be a token: it would not even fit into a header."""

    ref = "token-malformed"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, where: str) -> None:
        super().__init__(
            f"what came from {where} cannot be a token: it is too long, or holds a space or a control character",
            hint="copy the token once more, without anything around it, and try again",
        )
        self.where = where


class TokenRefused(MoorError):
    """The workspace does not take the given token."""

    ref = "token-refused"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, host: str, where: str, said: str = "") -> None:
        super().__init__(
            f"{host} does not accept the token from {where}",
            context=said,
            hint="create a new one in the workspace (Settings, Developer, Access tokens) and try again",
        )
        self.host = host
        self.where = where


class ProfileUnknown(UsageError):
    """No such section in ~/.databrickscfg."""

    ref = "profile-unknown"

    def __init__(self, profile: str, path: str, known: tuple[str, ...]) -> None:
        import difflib  # 6 ms that only an error costs

        close = difflib.get_close_matches(profile, known, n=1)
        if close:
            hint = f"did you mean: --profile {close[0]}"
        else:
            hint = f"profiles there: {', '.join(known)}" if known else "moor login --host https://YOUR-WORKSPACE"
        super().__init__(f"there is no profile {profile!r} in {path}", hint=hint)
        self.profile = profile
        self.path = path
        self.known = known


class ProfileFileInvalid(UsageError):
    """~/.databrickscfg does not read as INI."""

    ref = "profile-file-invalid"

    def __init__(self, path: str, line: int | None, problem: str) -> None:
        place = f"{path}, line {line}" if line else path
        super().__init__(f"{place}: {problem}", hint="correct the file, or sign in without it: moor login --host URL")
        self.path = path
        self.line = line
        self.problem = problem


class ProfileUnusable(UsageError):
    """A profile lacks what was asked of it."""

    ref = "profile-unusable"

    def __init__(self, profile: str, path: str, problem: str, hint: str) -> None:
        super().__init__(f"profile {profile!r} in {path} {problem}", hint=hint)
        self.profile = profile
        self.path = path
        self.problem = problem


class CliMissing(MoorError):
    """The Databricks CLI is to give the token, but is not there or too old."""

    ref = "databricks-cli-missing"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the Databricks CLI cannot give a token: {problem}",
            hint="moor login signs in without it: moor login --host URL",
        )
        self.problem = problem


class CliFailed(MoorError):
    """The Databricks CLI was asked for a token and refused."""

    ref = "databricks-cli-failed"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, said: str, command: str) -> None:
        super().__init__("the Databricks CLI gave no token", context=said, hint=command)
        self.said = said
