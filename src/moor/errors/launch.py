"""Errors between a command line and a running agent."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError


class UnknownModel(MoorError):
    """The upstream's list has no model of that id."""

    ref = "unknown-model"
    exit_code = ExitCode.USAGE

    def __init__(self, *, model: str, upstream: str, known: tuple[str, ...], named_by: str = "") -> None:
        import difflib

        close = difflib.get_close_matches(model, known, n=1, cutoff=0.5)
        tail = f"did you mean {close[0]}? " if close else ""
        super().__init__(
            f"upstream {upstream} has no model {model!r}" + (f" (named by {named_by})" if named_by else ""),
            hint=f"{tail}see: moor models (--refresh asks the upstream)",
        )


class ModelNotAllowed(MoorError):
    """The policy does not let the model through."""

    ref = "model-not-allowed"
    exit_code = ExitCode.USAGE

    def __init__(self, *, model: str, why: str) -> None:
        super().__init__(f"model {model!r} may not be used: {why}", hint="moor models shows what may be called")


class ModelDialectUnfit(MoorError):
    """The model is served, but in no dialect that the agent speaks."""

    ref = "model-dialect"
    exit_code = ExitCode.USAGE

    def __init__(
        self, *, model: str, agent: str, served: tuple[str, ...], spoken: tuple[str, ...], fit: tuple[str, ...]
    ) -> None:
        some = ", ".join(fit[:4]) + (", …" if len(fit) > 4 else "")
        super().__init__(
            f"{agent} cannot speak to model {model!r}: it speaks {', '.join(spoken)}, the model is served in "
            f"{', '.join(served) or 'none of the known dialects'}",
            hint=f"models for {agent}: {some}" if fit else "moor models",
        )


class NoModel(MoorError):
    """Nothing is left to choose from."""

    ref = "no-model"
    exit_code = ExitCode.USAGE

    def __init__(self, *, upstream: str, why: str) -> None:
        super().__init__(f"upstream {upstream} offers no model that can be used: {why}", hint="moor models --all")


class AgentDisabled(MoorError):
    """The config switched the agent off."""

    ref = "agent-disabled"
    exit_code = ExitCode.USAGE

    def __init__(self, *, agent: str) -> None:
        super().__init__(f"agent {agent} is switched off in the config", hint=f"moor agents enable {agent}")


class NoSuchDirectory(MoorError):
    """The directory to work in is not one."""

    ref = "no-such-directory"
    exit_code = ExitCode.USAGE

    def __init__(self, *, path: str) -> None:
        super().__init__(f"{path} is not a directory", hint="moor run --cwd PATH names one that exists")


class GatewayLost(MoorError):
    """The session's gateway ended before the session did."""

    ref = "gateway-lost"
    exit_code = ExitCode.FAILED

    def __init__(self, *, session: str, log: str) -> None:
        super().__init__(f"the gateway of session {session} ended early", context=f"log: {log}", hint="moor ps --all")


class LaunchFailed(MoorError):
    """The agent's program could not be executed."""

    ref = "launch-failed"
    exit_code = ExitCode.AGENT_MISSING

    def __init__(self, *, agent: str, path: str, why: str) -> None:
        super().__init__(
            f"{agent} could not be started", context=f"{path}: {why}", hint=f"moor agents install {agent}"
        )


class AgentBusy(MoorError):
    """Conversations are not carried while the agent runs and may write to them."""

    ref = "agent-busy"
    exit_code = ExitCode.USAGE

    def __init__(self, *, agent: str, pid: int, by_moor: bool) -> None:
        hint = (
            "end its sessions first; moor ps lists them" if by_moor else "end it first, then type the command again"
        )
        super().__init__(f"{agent} is running (pid {pid}): nothing was carried", hint=hint)
        self.pid = pid


class CarryFailed(MoorError):
    """A conversation could not be read from one home, or written to the other; the other is as it was."""

    ref = "conversation-not-carried"

    def __init__(self, *, agent: str, conversation: str, problem: str, context: str = "") -> None:
        what = f"conversation {conversation}" if conversation else "conversations"
        super().__init__(
            f"{what} of {agent} could not be carried: {problem}", context=context, hint="moor session list"
        )


class UnknownConversation(MoorError):
    """There is no conversation of that id in this folder on the side that was asked for."""

    ref = "unknown-conversation"
    exit_code = ExitCode.USAGE

    def __init__(self, *, agent: str, conversation: str, cwd: str) -> None:
        super().__init__(
            f"{agent} has no conversation {conversation!r} of {cwd} there",
            hint="moor session list   (in the folder where the conversation was held)",
        )
