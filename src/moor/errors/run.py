"""Errors of a headless run: what ends it without an answer."""

from __future__ import annotations

from moor.errors.base import MoorError, UsageError


class RunTimedOut(MoorError):
    """The run's time was over."""

    ref = "run-timeout"

    def __init__(self, *, after_s: float) -> None:
        super().__init__(
            f"not finished within {after_s:g} seconds; stopped", hint="moor run --timeout SECONDS gives it longer"
        )
        self.after_s = after_s


class RunStalled(MoorError):
    """The agent showed nothing for so long that it is taken for stuck."""

    ref = "run-stalled"

    def __init__(self, *, after_s: float) -> None:
        super().__init__(
            f"the agent showed no step for {after_s:g} seconds; stopped",
            hint="moor ps --all; type the command again",
        )
        self.after_s = after_s


class RunLimited(MoorError):
    """The upstream limits the calls, for longer than a run waits."""

    ref = "run-limited"

    def __init__(self, *, wait_s: float, said: str) -> None:
        super().__init__(
            f"the upstream lets no call through for the next {wait_s:.0f} seconds",
            context=said,
            hint="try again later, or another model: moor models",
        )
        self.wait_s = wait_s


class ModelFailed(MoorError):
    """The model's answer was an error, which the agent reported as its result."""

    ref = "model-failed"

    def __init__(self, *, said: str, ref: str = "") -> None:
        super().__init__(f"the model call failed: {said}", context=ref, hint="moor usage --last; moor status --check")
        self.said = said


class PromptMissing(UsageError):
    """There is nothing to do."""

    ref = "prompt-missing"

    def __init__(self) -> None:
        super().__init__("no prompt", hint='moor run "what to do", or: echo "what to do" | moor run -')


class PermissionRuleInvalid(UsageError):
    """A rule of --allow or --deny is not of the form TOOL:GLOB."""

    ref = "permission-rule-invalid"

    def __init__(self, *, rule: str, tools: tuple[str, ...]) -> None:
        super().__init__(
            f"{rule!r} is not a rule for tools; one reads TOOL:GLOB, with TOOL one of {', '.join(tools)}",
            hint="for example --allow 'bash:git push*' or --deny 'write:*.lock'; for models: --allow-model",
        )
        self.rule = rule


class PresetUnknown(UsageError):
    """No preset of that name."""

    ref = "preset-unknown"

    def __init__(self, *, preset: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no preset {preset!r}", hint=f"one of: {', '.join(known)}")
        self.preset = preset
