"""A Databricks workspace as an upstream: routes, credential, quirks. Facts: databricks 0.3, 2.1, 2.7, 2.9."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from moor.domain import quirks
from moor.domain.models import Catalogue, Model, Price, Target
from moor.errors.upstream import NoModels, NoRouteError, UpstreamInvalid
from moor.net.url import Base, parse_base
from moor.store.catalogues import save_catalogue
from moor.upstreams.listing import repriced, stored_catalogue
from moor.workspace.dead import is_dead_credential
from moor.workspace.kinds import CLI, KINDS, M2M, OAUTH, PAT
from moor.workspace.place import Place
from moor.workspace.routes import (
    AUTO,
    GATEWAY,
    GATEWAY_HOST,
    ROUTES,
    SERVING,
    gateway_host_of,
    needs_serving,
    path_of,
)

if TYPE_CHECKING:
    import ssl

    from moor.clock import Clock
    from moor.domain.credential import CredentialSource
    from moor.domain.session import Session
    from moor.domain.settings import UpstreamSettings
    from moor.secrets import Secret
    from moor.store.home import Home
    from moor.workspace.signin import Conversation

KIND: Final = "databricks"
_SESSIONS_MAX: Final = 1024

QUIRKS: Final = frozenset(
    value
    for name, value in vars(quirks).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, str)
)
"""all of them: the names were collected from such workspaces"""


class DatabricksUpstream:
    """One workspace. Construction reads settings only."""

    kind: str = KIND
    quirks: frozenset[str] = QUIRKS

    def __init__(
        self, name: str, settings: UpstreamSettings, home: Home, environ: Mapping[str, str], clock: Clock
    ) -> None:
        """Raises UpstreamInvalid, BadUrl, PlaintextRefused."""
        self.name = name
        self.settings = settings
        self.home = home
        self.environ = environ
        self.clock = clock
        self._targets: dict[tuple[str, str, str], Target] = {}
        self._headers: dict[str, tuple[tuple[str, str], ...]] = {}
        self._check()

    @cached_property
    def place(self) -> Place:
        """The workspace on the network."""
        return Place(
            self.settings.host,
            environ=self.environ,
            clock=self.clock,
            ca_file=self.settings.ca_file,
            allow_plaintext=self.settings.allow_plaintext,
        )

    def prepare(self) -> None:
        """Nothing must run for a workspace."""

    def close(self) -> None:
        """Nothing was started."""

    def catalogue(self) -> Catalogue:
        """The models as last fetched. Raises CatalogueMissingError."""
        found = stored_catalogue(self.home, self.name, f"moor login --upstream {self.name}")
        return repriced(found, self.settings.prices)

    def refresh_catalogue(self) -> Catalogue:
        """Ask the workspace, probe its route, store and return. Raises SignInNeeded, Unreachable, NoModels, …"""
        from moor.workspace.discovery.discover import discover

        catalogue = discover(
            self.name,
            self.place,
            self.credential(),
            route=self.settings.route,
            gateway_host=self.settings.gateway_host,
            workspace_id=self.settings.workspace_id,
            fallback_price=self.fallback_price,
        )
        if not catalogue.models:
            raise NoModels(self.name, catalogue.reasons)
        save_catalogue(self.home, catalogue)
        self.__dict__.pop("_known", None)
        self._targets.clear()
        return catalogue

    def fallback_price(self, model_id: str) -> Price | None:
        """The price of a model for which the workspace states none."""
        from moor.upstreams.prices import price_of

        return price_of(model_id)

    def target(self, dialect: str, model: Model, action: str) -> Target:
        """The URL of a call, by route and dialect. Raises NoRouteError."""
        key = (dialect, model.id, action)
        if key not in self._targets:
            self._targets[key] = self._target(dialect, model, action)
        return self._targets[key]

    def _target(self, dialect: str, model: Model, action: str) -> Target:
        route = SERVING if needs_serving(model) else self.route
        path = path_of(route, dialect, model.id, action) if dialect in model.dialects else None
        if path is None:
            raise NoRouteError(self.name, dialect, model.id, model.dialects)
        base = self._gateway_base if route == GATEWAY_HOST else self.place.base
        return Target(
            scheme=base.scheme,
            host=base.host,
            port=base.port,
            path=base.prefix + path,
            headers=(("X-Databricks-Workspace-Id", self.workspace_id),) if self.workspace_id else (),
        )

    @property
    def route(self) -> str:
        """The route form in use: as set, else as probed, else the current one."""
        if self.settings.route != AUTO:
            return self.settings.route
        return self._known.route or GATEWAY if self._known else GATEWAY

    @property
    def workspace_id(self) -> str:
        """As set, else as found; empty where unknown."""
        return self.settings.workspace_id or (self._known.workspace_id if self._known else "")

    def credential(self) -> CredentialSource:
        """The source of this upstream's tokens, by its `auth` setting."""
        return self._source

    def sign_in(self, talk: Conversation) -> None:
        """OAuth in a browser; for the other ways the token is fetched once, to see that it can be had."""
        if (self.settings.auth or OAUTH) != OAUTH:
            self._source.obtain()
            return
        from moor.upstreams.enrol import keep_named
        from moor.workspace.signin import sign_in

        keep_named(self.home, self.name, self.place, sign_in(self.place, talk))
        self.__dict__.pop("_source", None)

    def take_token(self, token: Secret, where: str) -> None:
        """A personal access token: asked who it belongs to, then kept."""
        from moor.upstreams.enrol import keep_named, pat_credential

        keep_named(self.home, self.name, self.place, pat_credential(self.place, token), where)
        self.__dict__.pop("_source", None)

    def needs_sign_in(self) -> bool:
        """Only what is kept in our store can be missing before it is asked for."""
        if self.settings.auth in (M2M, CLI) or (self.settings.auth == PAT and self.settings.profile):
            return False
        from moor.store.credentials import CredentialStore

        return CredentialStore(self.home).load(self.name) is None

    def is_dead_credential(self, status: int, body: bytes) -> bool:
        """By the recorded forms of 0.3."""
        return is_dead_credential(status, body)

    def call_headers(self, session: Session) -> tuple[tuple[str, str], ...]:
        """User-Agent and request tags (2.9); made once a session."""
        if session.id not in self._headers:
            from moor.upstreams.headers import request_tags, user_agent

            if len(self._headers) >= _SESSIONS_MAX:
                self._headers.clear()
            self._headers[session.id] = (
                ("User-Agent", user_agent(session)),
                ("Databricks-Ai-Gateway-Request-Tags", request_tags(session)),
            )
        return self._headers[session.id]

    def ssl_context(self) -> ssl.SSLContext | None:
        """System and configured authorities; None for a plain-HTTP workspace on this machine."""
        if self.place.base.scheme == "http" and self.route != GATEWAY_HOST:
            return None
        from moor.net.tls import client_context

        return client_context(self.settings.ca_file, self.environ)

    @cached_property
    def _source(self) -> CredentialSource:
        from moor.upstreams.credentials import credential_source

        return credential_source(self.name, self.settings, self.place, self.home)

    @cached_property
    def _known(self) -> Catalogue | None:
        from moor.store.catalogues import load_catalogue

        return load_catalogue(self.home, self.name)

    @cached_property
    def _gateway_base(self) -> Base:
        host = self.settings.gateway_host or gateway_host_of(self.workspace_id)
        return parse_base(host, allow_plaintext=self.settings.allow_plaintext)

    def _check(self) -> None:
        if not self.settings.host:
            raise UpstreamInvalid(self.name, "host is not set", hint="moor login --host https://YOUR-WORKSPACE")
        if self.settings.route not in (AUTO, *ROUTES):
            raise UpstreamInvalid(self.name, f"route {self.settings.route!r} is none of {', '.join((AUTO, *ROUTES))}")
        if self.settings.auth and self.settings.auth not in KINDS:
            raise UpstreamInvalid(self.name, f"auth {self.settings.auth!r} is none of {', '.join(KINDS)}")
        if self.settings.route == GATEWAY_HOST and not (self.settings.gateway_host or self.settings.workspace_id):
            raise UpstreamInvalid(self.name, "route gateway-host needs gateway_host or workspace_id")
        _ = self.place.base
