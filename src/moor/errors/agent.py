"""Errors about agents: unknown, missing, outside their window, failing."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError, UsageError


class UnknownAgent(MoorError):
    """Neither a command nor an agent of that name."""

    ref = "unknown-agent"
    exit_code = ExitCode.USAGE

    def __init__(self, *, name: str, known: tuple[str, ...], commands: tuple[str, ...] = ()) -> None:
        import difflib

        close = difflib.get_close_matches(name, [*known, *commands], n=1)
        hint = f"did you mean: moor {close[0]}" if close else f"agents: {', '.join(known)}; see: moor --help"
        super().__init__(f"{name!r} is neither a command nor an agent", hint=hint)
        self.name = name


class AgentDescribedTwice(UsageError):
    """The config describes an agent under the name of one that moor has itself."""

    ref = "agent-described-twice"

    def __init__(self, *, agent: str) -> None:
        super().__init__(
            f"your config describes an agent {agent}, but moor has one of that name itself",
            hint=f"give yours another name: [agents.my-{agent}] (moor config path)",
        )
        self.agent = agent


class AgentMissing(MoorError):
    """The agent's program is not on this machine."""

    ref = "agent-missing"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, place: str) -> None:
        super().__init__(
            f"{agent} is not installed", context=f"looked in {place}", hint=f"moor agents install {agent}"
        )
        self.agent = agent
        self.place = place


class AgentProgramMissing(MoorError):
    """The program that an agent's description in the config names is not there."""

    ref = "agent-program-missing"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, program: str) -> None:
        where = "is not there" if "/" in program else "is not on PATH"
        super().__init__(
            f"{program}, the program of {agent}, {where}",
            hint=f"install it, or name it in your config: agents.{agent}.command (moor config path)",
        )
        self.agent = agent
        self.program = program


class AgentNotHeadless(UsageError):
    """An agent whose description says nothing of running without a terminal."""

    ref = "agent-not-headless"

    def __init__(self, *, agent: str) -> None:
        super().__init__(
            f"{agent} cannot run without a terminal: its description has neither acp nor headless",
            hint=f"moor {agent}, or describe it in your config (moor config path)",
        )
        self.agent = agent


class AgentNeedsTrust(UsageError):
    """An agent that cannot be kept from starting a repository's programs."""

    ref = "agent-needs-trust"

    def __init__(self, *, agent: str, found: tuple[str, ...], headless: bool) -> None:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        where = "" if headless else "in its own interface "
        instead = "or take another agent: moor agents" if headless else f'or without it: moor run --agent {agent} "…"'
        super().__init__(
            f"{where}{agent} would start what this repository brings: {', '.join(found[:3])}{more}",
            hint=f"look at it and let it in: moor trust; {instead}",
        )
        self.agent = agent
        self.found = found


class AgentAsksNobody(UsageError):
    """A headless agent that never asks was not let loose."""

    ref = "agent-asks-nobody"

    def __init__(self, *, agent: str, why: str) -> None:
        super().__init__(
            f"{agent} acts without asking, so a preset cannot hold it ({why})",
            hint=f'let it do all that you may do: moor run --agent {agent} --preset full "…"',
        )
        self.agent = agent


class AgentInUse(MoorError):
    """A version that a session runs is not removed."""

    ref = "agent-in-use"

    def __init__(self, *, agent: str, version: str, pids: tuple[int, ...]) -> None:
        super().__init__(
            f"{agent} {version} is running (pid {', '.join(map(str, pids[:5]))}): nothing was removed",
            hint="end its sessions first; moor ps lists them",
        )
        self.agent = agent
        self.version = version
        self.pids = pids


class AgentNeeds(MoorError):
    """Something that runs the agent's program is not on PATH."""

    ref = "agent-needs"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, what: str, hint: str) -> None:
        super().__init__(f"{agent} needs {what}, which is not on PATH", hint=hint)
        self.agent = agent
        self.what = what


class AgentVersionUnfit(MoorError):
    """The installed version is known not to work with this moor."""

    ref = "agent-version"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, version: str, works: str) -> None:
        super().__init__(
            f"{agent} {version} does not work with this moor; {works} does",
            hint=f"moor agents install {agent}",
        )
        self.agent = agent
        self.version = version


class AgentInstallFailed(MoorError):
    """The agent could not be installed; nothing was changed."""

    ref = "agent-install"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, version: str, problem: str, context: str = "", hint: str = "") -> None:
        super().__init__(
            f"{agent} {version} could not be installed: {problem}",
            context=context,
            hint=hint or f"try again: moor agents install {agent}",
        )
        self.agent = agent
        self.version = version
        self.problem = problem


class NotInRegistry(AgentInstallFailed):
    """The registry, or the mirror of it, has no such package or version."""

    ref = "agent-not-in-registry"

    def __init__(self, *, agent: str, version: str, context: str) -> None:
        super().__init__(
            agent=agent,
            version=version,
            problem="the npm registry does not have it",
            context=context,
            hint="check the version, or the mirror that `npm config get registry` names",
        )


class NotInIndex(AgentInstallFailed):
    """The Python package index, or the mirror of it, has no such version, or no wheel of it for this machine."""

    ref = "agent-not-in-index"

    def __init__(self, *, agent: str, version: str, context: str) -> None:
        super().__init__(
            agent=agent,
            version=version,
            problem="the Python package index has no such version, or no wheel for this machine",
            context=context,
            hint="check the version, or the mirror that `python3 -m pip config list` names",
        )


class AgentReleaseTooYoung(MoorError):
    """A release that came out a moment ago is not taken unless asked for: bad ones are found in the first days."""

    ref = "agent-release-too-young"
    exit_code = ExitCode.USAGE

    def __init__(self, *, agent: str, version: str, age_days: float, wanted_days: float) -> None:
        super().__init__(
            f"{agent} {version} is {age_days:.1f} days old; releases are taken after {wanted_days:g} days",
            hint=f"wait, or: moor agents install {agent} --version {version} --allow-new",
        )
        self.agent = agent
        self.version = version
        self.age_days = age_days


class AgentCommandRefused(UsageError):
    """A sub-command or option of the agent that would leave the wire or change the installation."""

    ref = "agent-command-refused"

    def __init__(self, *, agent: str, what: str, why: str) -> None:
        reason, _, hint = why.partition("; ")
        super().__init__(f"{agent} {what} is not available through moor: {reason}", hint=hint)
        self.agent = agent
        self.what = what


class AgentModelUnknown(UsageError):
    """The agent's own model option names something that may not be called."""

    ref = "agent-model-unknown"

    def __init__(self, *, agent: str, model: str, allowed: tuple[str, ...]) -> None:
        import difflib

        close = difflib.get_close_matches(model, allowed, n=1)
        super().__init__(
            f"{agent} was asked for model {model!r}, which is not among the allowed ones",
            hint=f"did you mean {close[0]}? all of them: moor models" if close else "moor models",
        )
        self.agent = agent
        self.model = model


class AgentStartFailed(MoorError):
    """The agent's program did not come up, or ended at once."""

    ref = "agent-start"

    def __init__(self, *, agent: str, problem: str, context: str = "") -> None:
        super().__init__(
            f"{agent} did not start: {problem}",
            context=context,
            hint=f"check the installation: moor agents; reinstall: moor agents install {agent}",
        )
        self.agent = agent
        self.problem = problem


class AgentGone(MoorError):
    """The agent's process ended in the middle of a session."""

    ref = "agent-gone"

    def __init__(self, *, agent: str, context: str = "") -> None:
        super().__init__(f"{agent} ended in the middle of its work", context=context, hint="type the command again")
        self.agent = agent


class AgentProtocolError(MoorError):
    """The agent answered in a form this moor does not know."""

    ref = "agent-protocol"

    def __init__(self, *, agent: str, what: str, context: str = "") -> None:
        super().__init__(
            f"{agent} answered {what} in a form that this moor does not know",
            context=context,
            hint=f"install the tested version: moor agents install {agent}",
        )
        self.agent = agent


class TrustRefused(UsageError):
    """`moor trust` is not answered from inside a session, nor without a person or `--yes`."""

    ref = "trust-refused"

    def __init__(self, *, why: str, hint: str) -> None:
        super().__init__(f"not trusted: {why}", hint=hint)
        self.why = why
