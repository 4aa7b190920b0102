"""Which form of model route a workspace has: asked at sign-in and refresh, remembered in the catalogue (2.3)."""

from __future__ import annotations

from typing import NamedTuple

from moor.errors.base import MoorError
from moor.net.url import is_loopback, parse_base
from moor.workspace.dead import is_dead_credential
from moor.workspace.http import WorkspaceHttp
from moor.workspace.place import Place
from moor.workspace.refusals import refusal_of
from moor.workspace.routes import GATEWAY, GATEWAY_HOST, SERVING, gateway_host_of

_HOST_PROBE_S = 5.0


class Probe(NamedTuple):
    """The route, and why."""

    route: str
    reason: str


def probe_route(http: WorkspaceHttp, place: Place, workspace_id: str, gateway_host: str = "") -> Probe:
    """The current gateway form where it is on, else the older host, else classic serving.

    Raises CredentialRefused, Unreachable: without an answer nothing is concluded.
    """
    answer = http.ask("/api/ai-gateway/v2/endpoints", {"page_size": "1"})
    if is_dead_credential(answer.status, answer.body):
        raise refusal_of(answer, "asking for the AI Gateway", place.clock.now())
    if answer.status == 200:
        return Probe(GATEWAY, "the workspace's AI Gateway is on")
    if answer.status == 403:
        # not allowed to list endpoints says nothing; the model list of the gateway does
        second = http.ask("/ai-gateway/anthropic/v1/models", {"limit": "1"})
        if second.status == 200:
            return Probe(GATEWAY, "the workspace's AI Gateway answers")
    host = gateway_host or _guess(place, workspace_id)
    if host and _answers(place, host):
        return Probe(GATEWAY_HOST, f"{host} answers")
    return Probe(SERVING, f"no AI Gateway here (it answered {answer.status}); classic serving endpoints are used")


def _guess(place: Place, workspace_id: str) -> str:
    """The older host's name; never guessed for a workspace on this machine."""
    return gateway_host_of(workspace_id) if workspace_id.isdigit() and not is_loopback(place.base.host) else ""


def _answers(place: Place, host: str) -> bool:
    """Whether anything speaks HTTP there; no credential is sent."""
    try:
        base = parse_base(host, allow_plaintext=place.allow_plaintext)
        return place.client(_HOST_PROBE_S, base).get("/anthropic/v1/messages").status < 500
    except MoorError:
        return False
