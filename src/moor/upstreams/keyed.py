"""Upstreams with an address and a key from the environment: what engines and vendors have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from moor.domain.credential import Credential
from moor.domain.models import Catalogue, Model, Target
from moor.errors.auth import SignInNeeded
from moor.errors.base import MoorError
from moor.errors.upstream import NoModels, NoRouteError, UpstreamInvalid
from moor.net.url import Base, is_loopback, parse_base
from moor.secrets import Secret
from moor.store.catalogues import save_catalogue
from moor.upstreams.headers import user_agent
from moor.upstreams.listing import repriced, stored_catalogue
from moor.upstreams.prices import price_of
from moor.workspace.classify import family_of, is_chat

if TYPE_CHECKING:
    import ssl

    from moor.clock import Clock
    from moor.domain.credential import CredentialSource
    from moor.domain.session import Session
    from moor.domain.settings import UpstreamSettings
    from moor.net.client import HttpClient
    from moor.store.home import Home
    from moor.workspace.signin import Conversation

CONFIGURED: Final = "config"
NO_AUTH: Final = "none"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NAME_IT: Final = "export VENDOR_KEY=… and give its name: --api-key-env VENDOR_KEY"
_ADD: Final = (
    "moor upstream add {name} --kind {kind} --base-url URL, "
    "or for one that is set up: moor config set upstreams.{name}.base_url URL"
)


class KeyFromEnvironment:
    """A key that does not change while this process runs; there is nothing to renew."""

    def __init__(self, upstream: str, variable: str, environ: Mapping[str, str]) -> None:
        self._upstream = upstream
        self._variable = variable
        key = environ.get(variable, "").strip() if variable else ""
        self._credential = Credential(Secret(key), "environment") if key or not variable else None

    def current(self) -> Credential | None:
        """The key, or an empty one where the engine needs none; None when the variable is not set."""
        return self._credential

    def spare(self) -> Credential | None:
        """None: a key is never due."""
        return None

    def finish(self, within_s: float = 0.0) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing is ever begun."""
        return True

    def obtain(self, dead: Credential | None = None) -> Credential:
        """The key; raises SignInNeeded when it is missing or was just refused."""
        if self._credential is None:
            raise SignInNeeded(
                self._upstream, f"${self._variable} is not set", f"export {self._variable}=… and start again"
            )
        if dead is not None:
            if not self._variable:
                raise SignInNeeded(
                    self._upstream,
                    "it wants a key",
                    f"moor config set upstreams.{self._upstream}.api_key_env NAME_OF_VARIABLE",
                )
            raise SignInNeeded(
                self._upstream,
                f"the key in ${self._variable} is not accepted",
                f"export {self._variable}=… with a valid key and start again",
            )
        return self._credential


class Listed:
    """One model of a listing, as far as it says something."""

    def __init__(self, model_id: str, context: int | None = None, max_output: int | None = None) -> None:
        self.id = model_id
        self.context = context
        self.max_output = max_output


class KeyedUpstream:
    """One address with one key. Construction reads settings only. What differs is below `the kind's own`."""

    kind: str = ""
    quirks: frozenset[str] = frozenset()
    default_url: str = ""
    """where the settings name none; empty: they must"""
    auth: str = "bearer"
    """how the key is put on: `bearer`, or the name of the header"""
    dialects: tuple[str, ...] = ()
    """of its models, best first"""
    list_path: str = "/models"
    list_query: Mapping[str, str] | None = None
    list_headers: Mapping[str, str] | None = None

    def __init__(
        self, name: str, settings: UpstreamSettings, home: Home, environ: Mapping[str, str], clock: Clock
    ) -> None:
        """Raises UpstreamInvalid, BadUrl, PlaintextRefused."""
        url = settings.base_url or self.default_url
        if not url:
            raise UpstreamInvalid(name, "base_url is not set", hint=_ADD.format(name=name, kind=self.kind))
        if settings.api_key_env and not _VARIABLE.fullmatch(settings.api_key_env):
            # it may be the key itself: it is not repeated
            raise UpstreamInvalid(name, "api_key_env is the name of a variable, not a key", hint=_NAME_IT)
        self.name = name
        self.settings = settings
        self.home = home
        self.environ = environ
        self.clock = clock
        self.base: Base = parse_base(url, allow_plaintext=settings.allow_plaintext)
        self._source = KeyFromEnvironment(name, settings.api_key_env, environ)

    # the kind's own

    def listed(self, answer: dict[str, Any]) -> Iterable[Listed]:
        """The models of a listing."""
        data = answer.get("data")
        items = data if isinstance(data, list) else []
        return [Listed(str(item["id"])) for item in items if isinstance(item, dict) and item.get("id")]

    def path(self, dialect: str, model: Model, action: str) -> str | None:
        """Below the base URL; None where it serves no such call."""
        raise NotImplementedError

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Static headers of calls."""
        return ()

    def served(self) -> tuple[str, ...]:
        """The dialects, found out with the listing where they differ from engine to engine. BLOCKS."""
        return self.dialects

    # the protocol

    def prepare(self) -> None:
        """It runs by itself."""

    def close(self) -> None:
        """Nothing was started."""

    def catalogue(self) -> Catalogue:
        """As last fetched, else as the config lists. Raises CatalogueMissingError."""
        return repriced(self._as_listed(), self.settings.prices)

    def _as_listed(self) -> Catalogue:
        if not self.settings.models:
            return stored_catalogue(self.home, self.name)
        try:
            known = {model.id: model for model in stored_catalogue(self.home, self.name).models}
        except MoorError:
            known = {}
        made = self._catalogue([Listed(one) for one in self.settings.models], self.dialects, CONFIGURED, 0.0)
        return Catalogue(upstream=self.name, models=tuple(known.get(model.id, model) for model in made.models))

    def refresh_catalogue(self) -> Catalogue:
        """Ask for the list; one that lists nothing has what the config names.

        Raises NoModels, Unreachable, SignInNeeded.
        """
        found: list[Listed] = []
        reason = ""
        try:
            found = self._listed()
        except MoorError as error:
            if not self.settings.models:
                raise
            reason = str(error)
        source = self.list_path
        if self.settings.models:
            stated = {one.id: one for one in found}
            found = [stated.get(model_id) or Listed(model_id) for model_id in self.settings.models]
            source = CONFIGURED
        catalogue = self._catalogue(found, self.served(), source, self.clock.now(), reason)
        if not catalogue.models:
            raise NoModels(self.name, (reason,) if reason else ("its list of models is empty",))
        save_catalogue(self.home, catalogue)
        return catalogue

    def target(self, dialect: str, model: Model, action: str) -> Target:
        """Where a call goes. Raises NoRouteError for a dialect it does not serve."""
        path = self.path(dialect, model, action) if dialect in model.dialects else None
        if path is None:
            raise NoRouteError(self.name, dialect, model.id, model.dialects)
        return Target(
            scheme=self.base.scheme,
            host=self.base.host,
            port=self.base.port,
            path=self.base.prefix + path,
            auth=self._auth,
            headers=self.headers(),
        )

    def credential(self) -> CredentialSource:
        """The key from the environment."""
        return self._source

    def sign_in(self, talk: Conversation) -> None:  # noqa: ARG002 - nobody can be asked
        """Nothing to do: the key comes from the environment. Raises SignInNeeded when it is missing."""
        self._source.obtain()

    def take_token(self, token: Secret, where: str) -> None:  # noqa: ARG002 - refused
        """Refused: such keys are never stored."""
        raise UpstreamInvalid(
            self.name,
            "keys of engines and vendors are not stored",
            hint=f"moor config set upstreams.{self.name}.api_key_env NAME_OF_VARIABLE",
        )

    def needs_sign_in(self) -> bool:
        """Whether the variable that should hold the key is empty."""
        return self._source.current() is None

    def is_dead_credential(self, status: int, body: bytes) -> bool:  # noqa: ARG002 - the protocol's
        """401: the source then says which variable to set; nothing is renewed."""
        return status == 401

    def call_headers(self, session: Session) -> tuple[tuple[str, str], ...]:
        """User-Agent only: tags mean nothing there."""
        return (("User-Agent", user_agent(session)),)

    def ssl_context(self) -> ssl.SSLContext | None:
        """System and configured authorities; None for http."""
        if self.base.scheme == "http":
            return None
        from moor.net.tls import client_context

        return client_context(self.settings.ca_file, self.environ)

    @property
    def _auth(self) -> str:
        if not self.settings.api_key_env:
            return NO_AUTH
        return self.settings.auth or self.auth

    @cached_property
    def _client(self) -> HttpClient:
        from moor.net.client import HttpClient

        return HttpClient(self.base, environ=self.environ, ca_file=self.settings.ca_file, clock=self.clock)

    def _listed(self) -> list[Listed]:
        from moor.workspace.refusals import refusal_of

        credential = self._source.obtain()
        answer = self._client.get(
            self.list_path,
            self.list_query,
            token=credential.secret if credential.secret else None,
            auth=self._auth,
            headers=self.list_headers,
        )
        if self.is_dead_credential(answer.status, answer.body):
            self._source.obtain(dead=credential)
        if answer.status == 404:
            raise UpstreamInvalid(
                self.name,
                f"there is no list of models at {answer.url}",
                hint="base_url ends in /v1 for most engines; of one that lists nothing, name the models: "
                f"moor upstream add {self.name} … --models ID",
            )
        if answer.status != 200:
            raise refusal_of(answer, "listing models", self.clock.now())
        return list(self.listed(answer.json_object()))

    def _catalogue(
        self, found: Iterable[Listed], served: tuple[str, ...], source: str, at: float, reason: str = ""
    ) -> Catalogue:
        one_each = {one.id: one for one in found if is_chat(one.id)}
        models = tuple(self._model(one, served, source) for one in one_each.values())
        return Catalogue(upstream=self.name, models=models, fetched_at=at, reasons=(reason,) if reason else ())

    def _model(self, one: Listed, served: tuple[str, ...], source: str) -> Model:
        """Limits are those that the list states; those of the same model elsewhere are not taken over.

        A list price holds for an upstream on the network; what runs on this machine has no known price.
        """
        price = None if is_loopback(self.base.host) else price_of(one.id)
        return Model(
            id=one.id,
            family=family_of(one.id),
            dialects=served,
            context=one.context,
            max_output=one.max_output,
            source=source,
            price=price,
        )
