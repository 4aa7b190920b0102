"""One workspace as a place on the network: its address and how to reach it. No I/O until asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from moor.clock import Clock
from moor.errors.base import MoorError
from moor.net.url import Base, parse_base
from moor.store.credentials import StoredCredential

if TYPE_CHECKING:
    from moor.net.client import HttpClient
    from moor.workspace.metadata import HostMetadata, OidcEndpoints
    from moor.workspace.oauth import TokenEndpoint

RENEW_DISCOVERY_S: Final = 3.0
RENEW_S: Final = 7.0
"""with the wait for the lock, a renewal that fails is told within 20 s"""


class Place:
    """A workspace's address, proxies, authorities and clock."""

    def __init__(
        self,
        host: str,
        *,
        environ: Mapping[str, str],
        clock: Clock,
        ca_file: str = "",
        allow_plaintext: bool = False,
    ) -> None:
        """Raises BadUrl, PlaintextRefused."""
        self.base = parse_base(host, allow_plaintext=allow_plaintext)
        self.environ = environ
        self.clock = clock
        self.ca_file = ca_file
        self.allow_plaintext = allow_plaintext

    @property
    def host(self) -> str:
        """The address as it stands in settings and the store."""
        return self.base.url

    def client(self, total_s: float = 30.0, base: Base | None = None) -> HttpClient:
        """A client for calls of at most `total_s` seconds each; raises CaFileInvalid, ProxyInvalid."""
        from moor.net.client import HttpClient

        return HttpClient(
            base or self.base, environ=self.environ, ca_file=self.ca_file, clock=self.clock, total_s=total_s
        )

    @cached_property
    def metadata(self) -> HostMetadata:
        """What the host says of itself; asked once. Raises Unreachable, TlsFailed, NotJson."""
        from moor.workspace.metadata import host_metadata

        return host_metadata(self.client())

    @cached_property
    def endpoints(self) -> OidcEndpoints:
        """Where sign-ins begin and tokens are given; asked once."""
        from moor.workspace.metadata import oidc_endpoints

        return oidc_endpoints(self.client(), self.metadata)

    def token_endpoint(self, endpoints: OidcEndpoints, total_s: float = 30.0) -> TokenEndpoint:
        """The token endpoint, on its own authority (account-level ones are on another host)."""
        from moor.workspace.oauth import TokenEndpoint

        parts = urlsplit(endpoints.token)
        base = parse_base(f"{parts.scheme}://{parts.netloc}", allow_plaintext=self.allow_plaintext)
        return TokenEndpoint(self.client(total_s, base), endpoints, self.host, self.clock)

    def renew(self, stored: StoredCredential) -> StoredCredential:
        """Present the refresh token once; bounded by ten seconds. Raises RefreshRefused and others."""
        return self.token_endpoint(self._endpoints_quickly(), RENEW_S).refresh(stored)

    def _endpoints_quickly(self) -> OidcEndpoints:
        """The endpoints asked within 3 s, else the documented ones: the refresh itself then tells what is wrong."""
        from moor.workspace.metadata import OidcEndpoints, host_metadata, oidc_endpoints

        if "endpoints" in self.__dict__:
            return self.endpoints
        client = self.client(RENEW_DISCOVERY_S)
        try:
            self.__dict__["endpoints"] = oidc_endpoints(client, host_metadata(client))
        except MoorError:
            return OidcEndpoints(f"{self.host}/oidc/v1/authorize", f"{self.host}/oidc/v1/token")
        return self.endpoints
