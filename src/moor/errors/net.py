"""What goes wrong on the way to a host: address, name, TLS, answers that are not what was asked for."""

from __future__ import annotations

from moor.errors.base import ExitCode, MoorError, UsageError


class BadUrl(UsageError):
    """A text that should be the address of a host is none."""

    ref = "bad-url"

    def __init__(self, url: str, problem: str, *, example: str = "https://my-workspace.cloud.databricks.com") -> None:
        super().__init__(f"{url!r} is not an address moor can use: {problem}", hint=f"write it like {example}")
        self.url = url
        self.problem = problem


class PlaintextRefused(UsageError):
    """`http://` to a host that is not this machine: a credential would travel in the clear."""

    ref = "plaintext-refused"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} is not encrypted and not on this machine",
            hint="use https://, or set allow_plaintext = true for this upstream in config.toml",
        )
        self.url = url


class CaFileInvalid(UsageError):
    """A file of certificate authorities does not read."""

    ref = "ca-file-invalid"

    def __init__(self, path: str, setting: str, reason: str) -> None:
        super().__init__(
            f"the certificate authorities in {path} do not read",
            context=reason,
            hint=f"{setting} must name a PEM file of certificates",
        )
        self.path = path
        self.setting = setting


class ProxyInvalid(UsageError):
    """A proxy variable of the environment holds something that is not a proxy's address."""

    ref = "proxy-invalid"

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"the proxy in {variable} cannot be used: {problem}",
            hint=f"write {variable}=http://proxy.example:3128, or unset it",
        )
        self.variable = variable


class Unreachable(MoorError):
    """A host gave no answer: its name is unknown, it refuses connections, or time ran out."""

    ref = "unreachable"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, host: str, reason: str, *, hint: str = "", arrived: bool = False) -> None:
        super().__init__(
            f"{host} cannot be reached: {reason}",
            hint=hint or "check the network, VPN and proxy settings, then try again: moor auth status --check",
        )
        self.host = host
        self.reason = reason
        self.arrived = arrived
        """the request may have been carried out: only its answer is missing"""


class TlsFailed(MoorError):
    """The host's certificate is not trusted, or the TLS handshake failed."""

    ref = "tls-failed"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(
            f"no trusted TLS connection to {host}",
            context=reason,
            hint="behind a company proxy, name its CA file: moor login --ca-file /path/to/ca.pem, "
            "or moor config set upstreams.NAME.ca_file /path/to/ca.pem, or SSL_CERT_FILE",
        )
        self.host = host
        self.reason = reason


class NotJson(MoorError):
    """The host answered a page instead of data: a captive portal, a login page, another product."""

    ref = "not-json"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, url: str, seen: str, *, status: int = 200) -> None:
        super().__init__(
            f"{url} answered {status} with {seen} instead of JSON",
            hint="open the address in a browser: a network sign-in page, a wrong host or a proxy answers there",
        )
        self.url = url
        self.seen = seen
        self.status = status


class RedirectedAway(MoorError):
    """The host sends API calls to another place; credentials do not follow."""

    ref = "redirected-away"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, url: str, target: str) -> None:
        super().__init__(
            f"{url} redirects to {target}, which moor does not follow",
            hint="use the address of the workspace itself: moor login --host URL",
        )
        self.url = url
        self.target = target


class AnswerTooLarge(MoorError):
    """An answer grew beyond what its call may have."""

    ref = "answer-too-large"
    exit_code = ExitCode.UNREACHABLE

    def __init__(self, url: str, max_bytes: int) -> None:
        super().__init__(
            f"the answer of {url} is larger than {max_bytes} bytes",
            hint="check that the address is the one of your workspace or engine: moor upstream list",
        )
        self.url = url
        self.max_bytes = max_bytes


class ClockSkew(MoorError):
    """This machine's clock and the host's are so far apart that credentials do not hold."""

    ref = "clock-skew"
    exit_code = ExitCode.SIGN_IN

    def __init__(self, host: str, skew_s: float) -> None:
        side = "behind" if skew_s > 0 else "ahead of"
        super().__init__(
            f"this machine's clock is {abs(round(skew_s))} s {side} the clock of {host}",
            hint="set the clock (timedatectl set-ntp true), then: moor login",
        )
        self.host = host
        self.skew_s = skew_s
