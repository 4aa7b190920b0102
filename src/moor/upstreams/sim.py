"""The built-in simulated workspace as an upstream: the real routes and rules, a scripted model, no account.

With `host` it uses a simulator that runs (`moor sim`); without, the gateway starts one for its session.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Final

from moor.domain.models import Catalogue, Price
from moor.errors.auth import SignInMismatch
from moor.errors.sim import SimNotStarted
from moor.store.credentials import CredentialStore, StoredCredential
from moor.upstreams.databricks import DatabricksUpstream
from moor.upstreams.listing import repriced, stored_catalogue
from moor.workspace.place import Place
from moor.workspace.routes import AUTO, GATEWAY
from moor.workspace.tokens import StoredSource

if TYPE_CHECKING:
    import ssl

    from moor.domain.credential import CredentialSource
    from moor.upstreams.simprocess import SimProcess
    from moor.workspace.signin import Conversation

KIND: Final = "sim"


class MemoryVault:
    """Sign-ins of a simulator that lives no longer than we do."""

    def __init__(self) -> None:
        self._stored: dict[str, StoredCredential] = {}
        self._lock = threading.Lock()

    def load(self, upstream: str) -> StoredCredential | None:
        """The sign-in, if there is one."""
        return self._stored.get(upstream)

    def save(self, upstream: str, credential: StoredCredential) -> None:
        """Replace it."""
        self._stored[upstream] = credential

    @contextmanager
    def refresh_lock(self, upstream: str, timeout_s: float = 30.0) -> Iterator[None]:  # noqa: ARG002
        """Only this process knows the token."""
        with self._lock:
            yield


class SimUpstream(DatabricksUpstream):
    """A simulated workspace, running or to be started."""

    kind: str = KIND
    _child: SimProcess | None = None

    def prepare(self) -> None:
        """Start the simulator and sign in, unless `host` names a running one. Raises SimNotStarted."""
        if self.settings.host or self._child is not None:
            return
        from moor.upstreams.simprocess import SimProcess

        self._child = SimProcess(self.environ)
        self._vault.save(self.name, sign_in_quietly(self.place))

    def close(self) -> None:
        """Stop what `prepare` started."""
        if self._child is not None:
            self._child.close()
            self._child = None
            for known in ("place", "_source", "_vault"):
                self.__dict__.pop(known, None)

    def catalogue(self) -> Catalogue:
        """The models as last fetched. Raises CatalogueMissingError."""
        return repriced(stored_catalogue(self.home, self.name), self.settings.prices)

    def refresh_catalogue(self) -> Catalogue:
        """Ask the simulator; one is started for the purpose where none runs."""
        if self.settings.host or self._child is not None:
            return super().refresh_catalogue()
        self.prepare()
        try:
            return super().refresh_catalogue()
        finally:
            self.close()

    def sign_in(self, talk: Conversation) -> None:  # noqa: ARG002 - nobody need be asked
        """Sign in to the simulator of `host` without a browser; each session starts its own where there is none."""
        if self.settings.host:
            CredentialStore(self.home).save(self.name, sign_in_quietly(self.place))
            self.__dict__.pop("_source", None)

    def needs_sign_in(self) -> bool:
        """Only a simulator that runs elsewhere wants a sign-in."""
        return bool(self.settings.host) and super().needs_sign_in()

    def fallback_price(self, model_id: str) -> Price | None:  # noqa: ARG002
        """None: a list price would be told as if it were real."""
        return None

    @cached_property
    def place(self) -> Place:
        """The simulator on this machine; raises SimNotStarted before `prepare`."""
        host = self.settings.host or (self._child.url if self._child else "")
        if not host:
            raise SimNotStarted("loopback", "it has not been started yet")
        return Place(host, environ=self.environ, clock=self.clock, ca_file=self.settings.ca_file)

    @property
    def route(self) -> str:
        """The current gateway form, unless set or probed otherwise."""
        if self.settings.host or self.settings.route != AUTO:
            return super().route
        return GATEWAY

    def ssl_context(self) -> ssl.SSLContext | None:
        """None for one of our own, which speaks plain HTTP on loopback."""
        return super().ssl_context() if self.settings.host else None

    @cached_property
    def _vault(self) -> MemoryVault:
        return MemoryVault()

    @cached_property
    def _source(self) -> CredentialSource:
        if self.settings.host:
            return super()._source
        return StoredSource(self.name, "", self._vault, self._renew, self.clock)

    def _renew(self, stored: StoredCredential) -> StoredCredential:
        return self.place.renew(stored)

    def _check(self) -> None:
        if self.settings.host:
            super()._check()


def sign_in_quietly(place: Place) -> StoredCredential:
    """Walk through the simulator's own sign-in page: it consents by itself. Raises SignInMismatch, Unreachable."""
    from urllib.parse import urlsplit

    from moor.workspace.listener import FIRST_PORT
    from moor.workspace.pkce import authorize_url, new_pkce
    from moor.workspace.redirect import code_of, parse_redirect

    endpoints, pkce = place.endpoints, new_pkce()
    redirect_uri = f"http://localhost:{FIRST_PORT}"
    parts = urlsplit(authorize_url(endpoints.authorization, redirect_uri, pkce))
    location = place.client().location(f"{parts.path}?{parts.query}")
    if not location:
        raise SignInMismatch("the host does not consent by itself, as a simulator does")
    code = code_of(parse_redirect(location), pkce.state, place.host)
    return place.token_endpoint(endpoints).exchange(code, pkce.verifier, redirect_uri)
