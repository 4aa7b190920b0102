"""What a workspace says of itself before sign-in: facts/databricks 1.1."""

from __future__ import annotations

from typing import Any, NamedTuple

from moor.errors.base import MoorError
from moor.errors.net import NotJson, PlaintextRefused, RedirectedAway
from moor.net.answer import Answer
from moor.net.client import HttpClient
from moor.net.url import Base, is_loopback, parse_base


class HostMetadata(NamedTuple):
    """`/.well-known/databricks-config`; empty where the host has none."""

    oidc_endpoint: str = ""
    workspace_id: str = ""
    account_id: str = ""


class OidcEndpoints(NamedTuple):
    """Where a sign-in begins and where tokens are given."""

    authorization: str
    token: str


def host_metadata(client: HttpClient) -> HostMetadata:
    """The host's own words; empty fields where it has no such page (1.1: assume the usual paths then).

    Raises Unreachable and TlsFailed, and NotJson when a page for people stands where data should be.
    """
    answer = client.get("/.well-known/databricks-config")
    if answer.status == 200 and answer.is_html:
        raise answer.not_json()
    found = _object(answer)
    account = _text(found, "account_id")
    return HostMetadata(
        _text(found, "oidc_endpoint").replace("{account_id}", account), _text(found, "workspace_id"), account
    )


def oidc_endpoints(client: HttpClient, metadata: HostMetadata) -> OidcEndpoints:
    """Authorize and token address: from OIDC discovery, else the documented paths below the host."""
    fallback = OidcEndpoints(f"{client.base.url}/oidc/v1/authorize", f"{client.base.url}/oidc/v1/token")
    root = metadata.oidc_endpoint or f"{client.base.url}/oidc"
    if not root.startswith(client.base.url + "/"):
        # another host (account level): its paths follow the same pattern, see 1.1
        return _safe(OidcEndpoints(f"{root}/v1/authorize", f"{root}/v1/token"), client.base)
    try:
        found = _object(client.get(f"{root.removeprefix(client.base.url)}/.well-known/oauth-authorization-server"))
    except (NotJson, RedirectedAway):
        return fallback
    authorization, token = _text(found, "authorization_endpoint"), _text(found, "token_endpoint")
    return _safe(OidcEndpoints(authorization, token), client.base) if authorization and token else fallback


def _safe(endpoints: OidcEndpoints, base: Base) -> OidcEndpoints:
    """A refresh token travels to these: never in the clear, unless all of this is on this machine."""
    for url in endpoints:
        place = parse_base(url.partition("?")[0], allow_plaintext=True)
        if place.scheme == "http" and base.scheme == "https":
            raise PlaintextRefused(url)
        if is_loopback(place.host) and not is_loopback(base.host):
            raise PlaintextRefused(url)
    return endpoints


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {}
    try:
        return answer.json_object()
    except MoorError:
        return {}


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    return str(value) if isinstance(value, (str, int)) else ""
