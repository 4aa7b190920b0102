"""Which proxy a call takes, from the environment as curl reads it. Never one for this machine."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from moor.errors.net import ProxyInvalid
from moor.net.url import Base, is_loopback


def proxy_for(base: Base, environ: Mapping[str, str]) -> str | None:
    """The proxy's URL for calls to `base`, or None to go there directly.

    HTTPS_PROXY (HTTP_PROXY for http) or ALL_PROXY, small letters first, unless NO_PROXY names the host.
    Raises ProxyInvalid: going around a proxy that was asked for would be worse than stopping.
    """
    if is_loopback(base.host) or _exempt(base, environ):
        return None
    for variable in (f"{base.scheme}_proxy", "all_proxy"):
        for spelling in (variable, variable.upper()):
            if environ.get(spelling, "").strip():
                return _checked(environ[spelling].strip(), spelling)
    return None


def _checked(value: str, variable: str) -> str:
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ProxyInvalid(variable, str(error)) from error
    if parts.scheme not in ("http", "https"):
        raise ProxyInvalid(variable, f"moor speaks to http and https proxies, not {parts.scheme}")
    if not parts.hostname:
        raise ProxyInvalid(variable, "there is no host in it")
    return url if port else f"{parts.scheme}://{parts.netloc}:{443 if parts.scheme == 'https' else 80}"


def _exempt(base: Base, environ: Mapping[str, str]) -> bool:
    listed = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return any(_names(entry.strip().lower(), base) for entry in listed.split(",") if entry.strip())


def _names(entry: str, base: Base) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(entry, base.host)
    name, port = _name_and_port(entry)
    if port and port != str(base.port):
        return False
    name = name.removeprefix("*").strip(".")
    host = base.host.lower().rstrip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _name_and_port(entry: str) -> tuple[str, str]:
    """Of one entry of NO_PROXY; an IPv6 address with a port stands in brackets."""
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, port.lstrip(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _in_network(entry: str, host: str) -> bool:
    import ipaddress  # few lists name networks

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
