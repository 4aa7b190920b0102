"""What an upstream refuses or lacks, and what is wrong with its settings."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError, UsageError


class NoUpstream(UsageError):
    """Nothing is set up yet, and nobody sits at a terminal who could be asked."""

    ref = "no-upstream"

    def __init__(self) -> None:
        super().__init__(
            "no upstream is set up: moor does not know where models are",
            hint="moor login --host https://YOUR-WORKSPACE | "
            "moor upstream add NAME --kind openai --base-url URL/v1 | moor upstream add sim --kind sim",
        )


class UnknownUpstream(UsageError):
    """No upstream of that name in the settings."""

    ref = "unknown-upstream"

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        import difflib  # 6 ms that only an error costs

        close = difflib.get_close_matches(name, known, n=1)
        if close:
            hint = f"did you mean: {close[0]}"
        elif known:
            hint = f"there are: {', '.join(known)}; see: moor upstream list"
        else:
            hint = "none is set up yet: moor login --host https://YOUR-WORKSPACE"
        super().__init__(f"there is no upstream {name!r}", hint=hint)
        self.name = name
        self.known = known


class NoDefaultUpstream(UsageError):
    """There are several upstreams and none is the default."""

    ref = "no-default-upstream"

    def __init__(self, known: tuple[str, ...]) -> None:
        super().__init__(
            f"there are several upstreams ({', '.join(known)}) and none is the default",
            hint=f"moor upstream use {known[0]}, or name one: moor --upstream {known[0]} …",
        )
        self.known = known


class UpstreamExists(UsageError):
    """The name is taken."""

    ref = "upstream-exists"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is an upstream {name!r} already",
            hint=f"moor upstream show {name}; to replace it: moor upstream remove {name}",
        )
        self.name = name


class UpstreamNameInvalid(UsageError):
    """A name that would not stand well in files and on the command line."""

    ref = "upstream-name-invalid"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} cannot be the name of an upstream",
            hint="use up to 64 letters, digits, '-' and '_', starting with a letter or digit",
        )
        self.name = name


class UpstreamInvalid(UsageError):
    """A setting of an upstream is missing or makes no sense."""

    ref = "upstream-invalid"

    def __init__(self, name: str, problem: str, *, hint: str = "") -> None:
        super().__init__(f"upstream {name}: {problem}", hint=hint or f"moor upstream show {name}")
        self.name = name
        self.problem = problem


class NoRouteError(MoorError):
    """The upstream does not serve that model in that dialect."""

    ref = "no-route"

    def __init__(self, upstream: str, dialect: str, model: str, served: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"upstream {upstream} does not serve {model} as {dialect}",
            hint=f"it serves it as {', '.join(served)}" if served else "moor models --refresh",
        )
        self.upstream = upstream
        self.dialect = dialect
        self.model = model


class CatalogueMissingError(MoorError):
    """The models of an upstream were never asked for."""

    ref = "catalogue-missing"
    exit_code = ExitCode.USAGE

    def __init__(self, upstream: str, hint: str = "") -> None:
        super().__init__(
            f"the models of upstream {upstream} are not known yet",
            hint=hint or f"moor models --refresh --upstream {upstream}",
        )
        self.upstream = upstream


class NoModels(MoorError):
    """The upstream was asked and lists no model that can be called."""

    ref = "no-models"

    def __init__(self, upstream: str, reasons: tuple[str, ...]) -> None:
        super().__init__(
            f"upstream {upstream} lists no model that can be called",
            context="\n".join(reasons),
            hint="ask your administrator for access to a model, then: moor models --refresh",
        )
        self.upstream = upstream
        self.reasons = reasons


class UpstreamError(MoorError):
    """A refusal over HTTP: status, the upstream's own words, and what was asked."""

    ref = "upstream-refused"

    def __init__(self, what: str, status: int, said: str, *, hint: str = "", code: str = "") -> None:
        words = f"{code}: {said}" if code and said else code or said
        super().__init__(f"{what}: the upstream answered {status}", context=words, hint=hint)
        self.what = what
        self.status = status
        self.said = said
        self.code = code


class Forbidden(UpstreamError):
    """The credential is alive but may not do this."""

    ref = "forbidden"

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(what, status, said, code=code, hint="ask your workspace administrator for the permission")


class NotFound(UpstreamError):
    """The upstream has no such thing, or no such path."""

    ref = "not-found"

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(what, status, said, code=code, hint="check the address and the name: moor upstream list")


class FeatureOff(UpstreamError):
    """The upstream knows the feature and has it switched off."""

    ref = "feature-off"

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(
            what, status, said, code=code, hint="an administrator can switch it on under Previews in the workspace"
        )


class RateLimited(UpstreamError):
    """Too many calls."""

    ref = "rate-limited"

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(what, status, said, code=code, hint="wait a minute and try again")


class UpstreamFailing(UpstreamError):
    """The upstream fails by its own fault, or gave up."""

    ref = "upstream-failing"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(what, status, said, code=code, hint="try again later; nothing was changed")


class CredentialRefused(UpstreamError):
    """The upstream says that the credential is dead (facts/databricks 0.3)."""

    ref = "credential-refused"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, what: str, status: int, said: str, code: str = "") -> None:
        super().__init__(what, status, said, code=code, hint="moor login")
