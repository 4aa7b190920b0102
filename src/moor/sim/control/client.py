"""A small blocking client of the control API, for tests and the demo."""

from __future__ import annotations

import http.client
import ssl
from typing import Any
from urllib.parse import urlsplit

import msgspec

from moor.errors.sim import SimControlFailed
from moor.secrets import Secret
from moor.sim.control.api import PREFIX
from moor.sim.messages import Json


class SimControl:
    """Speaks to `/_sim/` of one simulated workspace; a connection a call."""

    def __init__(self, url: str) -> None:
        self._at = urlsplit(url)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. Raises SimControlFailed."""
        host, port = self._at.hostname or "127.0.0.1", self._at.port
        if self._at.scheme == "https":
            blind = ssl.create_default_context()
            blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
            line: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=10, context=blind)
        else:
            line = http.client.HTTPConnection(host, port, timeout=10)
        try:
            line.request(method, PREFIX + path, None if body is None else msgspec.json.encode(body))
            answer = line.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise SimControlFailed(PREFIX + path, 0, str(problem)) from problem
        finally:
            line.close()
        if answer.status != 200:
            raise SimControlFailed(PREFIX + path, answer.status, data.decode("utf-8", "replace")[:300])
        return msgspec.json.decode(data)

    def fault(self, route: str = "*", **fields: Any) -> int:
        """Put a fault in force (fields of `moor.sim.faults.Fault`); returns its id."""
        return int(self.call("POST", "faults", {"route": route, **fields})["id"])

    def clear_faults(self) -> None:
        """Lift every fault."""
        self.call("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the workspace's clock."""
        self.call("POST", "clock", {"advance_s": seconds})

    def revoke_all(self, *, refresh_too: bool = False) -> int:
        """Kill every access token and PAT, with `refresh_too` every sign-in; returns how many tokens died."""
        return int(self.call("POST", "revoke-all", {"refresh_too": refresh_too})["revoked"])

    def dead_credential(self, form: str) -> None:
        """Choose the form of dead-credential answers; "turns" goes through all, "" is the usual one."""
        self.call("POST", "dead-credential", {"form": form})

    def switch(self, **positions: bool) -> None:
        """Set switches; an underscore in a keyword stands for the dash of the name."""
        self.call("POST", "switches", {name.replace("_", "-"): on for name, on in positions.items()})

    def token_ttl(self, seconds: float) -> None:
        """Life of access tokens issued from now on."""
        self.call("POST", "token-ttl", {"ttl_s": seconds})

    def mint(self, kind: str = "pat", ttl_s: float = 3600, user: str = "") -> Secret:
        """A good token out of nothing; kind is pat or oauth."""
        return Secret(self.call("POST", "mint", {"kind": kind, "ttl_s": ttl_s, "user": user})["token"])

    def requests(self, *, bodies: bool = False, since: int = 0) -> list[Json]:
        """The request log, oldest first."""
        rows: list[Json] = self.call("GET", f"requests?bodies={int(bodies)}&since={since}")
        return rows

    def usage(self) -> Json:
        """The simulator's own count: `calls` and sums by model in `models`."""
        counts: Json = self.call("GET", "usage")
        return counts

    def tokens(self) -> Json:
        """Counts of issued, refreshed and revoked tokens."""
        counts: Json = self.call("GET", "tokens")
        return counts

    def service_principal(self) -> tuple[str, Secret]:
        """A new client id and its secret for client_credentials."""
        made = self.call("POST", "service-principal", {})
        return made["client_id"], Secret(made["client_secret"])

    def reset(self) -> None:
        """Forget everything."""
        self.call("POST", "reset", {})
