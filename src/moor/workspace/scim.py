"""Who the credential belongs to: SCIM Me, also the cheapest proof that a token works (1.9)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from moor.workspace.http import WorkspaceHttp

_AZURE: Final = re.compile(r"^adb-(\d+)\.\d+\.azuredatabricks\.net$")
_GCP: Final = re.compile(r"^(\d+)\.\d+\.gcp\.databricks\.com$")


class Me(NamedTuple):
    """The user, or the application id of a service principal, and the workspace's id where it is known."""

    user: str
    workspace_id: str


def who_am_i(http: WorkspaceHttp) -> Me:
    """GET SCIM Me. Raises CredentialRefused, Forbidden, Unreachable and what a refusal means."""
    found = http.get("/api/2.0/preview/scim/v2/Me", what="asking who is signed in")
    user = found.get("userName") or found.get("displayName") or found.get("id") or ""
    return Me(str(user), http.organisation)


def id_in_host(host: str) -> str:
    """The workspace id where the host's name holds it (Azure, GCP); else empty."""
    found = _AZURE.match(host) or _GCP.match(host)
    return found.group(1) if found else ""
