"""Environments are built, not inherited (design, decision 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from moor.domain.settings import AgentSettings, Settings, UpstreamSettings
from moor.run.sweep import VARIABLE

STRIPPED: Final = ("DATABRICKS_", "ARM_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "MOOR_")
"""prefixes of variables that carry credentials or reroute an agent"""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

_GATEWAY_NAMES: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "VIRTUAL_ENV", "PYTHON*"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("DATABRICKS_*", "MOOR_HOME", "MOOR_INTERPRETED", "DBUS_*"),
)


def agent_environment(
    environ: Mapping[str, str], settings: Settings, agent: AgentSettings, session_id: str, cwd: str
) -> dict[str, str]:
    """What an agent is started with: the user's environment without credentials, loopback kept off the proxy.

    `pass_env` (names, or `PREFIX*`) lets variables through, `env` sets them; both are the user's own config.
    """
    keys = {upstream.api_key_env for upstream in settings.upstreams.values() if upstream.api_key_env}
    built = {
        name: value
        for name, value in environ.items()
        if _matches(name, agent.pass_env) or not (name.startswith(STRIPPED) or name in keys)
    }
    built.update(agent.env)
    for name in ("NO_PROXY", "no_proxy"):
        built[name] = _with_loopback(built.get(name, ""))
    built[VARIABLE] = session_id
    built["PWD"] = cwd
    built.pop("OLDPWD", None)
    return built


def gateway_environment(
    environ: Mapping[str, str], upstreams: Iterable[UpstreamSettings], home: str
) -> dict[str, str]:
    """What the gateway process is started with: what its upstreams need, nothing of the agent's."""
    built = {name: value for name, value in environ.items() if _matches(name, _GATEWAY_NAMES)}
    for upstream in upstreams:
        if upstream.api_key_env and upstream.api_key_env in environ:
            built[upstream.api_key_env] = environ[upstream.api_key_env]
    built["MOOR_HOME"] = home
    # big bodies: glibc must not give their pages back at every request (facts/performance, A)
    built["MALLOC_MMAP_THRESHOLD_"] = str(64 << 20)
    built["MALLOC_TRIM_THRESHOLD_"] = str(256 << 20)
    built["MALLOC_TOP_PAD_"] = str(16 << 20)
    # its threads hardly ever run at once: a heap of each one's own would only keep more pages
    built["MALLOC_ARENA_MAX"] = "1"
    return built


def _with_loopback(value: str) -> str:
    present = [part.strip() for part in value.split(",") if part.strip()]
    return ",".join([*present, *(host for host in _LOOPBACK if host not in present)])


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Names, and `PREFIX*`; anything more is not needed for variables, and fnmatch costs a launch 5 ms."""
    return any(name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in patterns)
