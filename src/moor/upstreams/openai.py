"""Any OpenAI-compatible engine: vLLM, Ollama, llama.cpp, LM Studio, a company's proxy. Chat dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from moor.domain import quirks
from moor.domain.credential import Credential
from moor.domain.dialects import COUNT_TOKENS, OPENAI_CHAT
from moor.domain.models import Catalogue, Model, Target
from moor.errors.auth import SignInNeeded
from moor.errors.base import MoorError
from moor.errors.upstream import NoModels, NoRouteError, UpstreamInvalid
from moor.net.url import Base, is_loopback, parse_base
from moor.secrets import Secret
from moor.store.catalogues import save_catalogue
from moor.upstreams.headers import user_agent
from moor.upstreams.listing import stored_catalogue
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

KIND: Final = "openai"
_SOURCE: Final = "/models"
_CONFIGURED: Final = "config"
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NAME_IT: Final = "export ENGINE_KEY=… and give its name: --api-key-env ENGINE_KEY"
_ADD: Final = (
    "moor upstream add {name} --kind {kind} --base-url URL/v1, "
    "or for one that is set up: moor config set upstreams.{name}.base_url URL/v1"
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
                    "the engine wants a key",
                    f"moor config set upstreams.{self._upstream}.api_key_env NAME_OF_VARIABLE",
                )
            raise SignInNeeded(
                self._upstream,
                f"the engine does not accept the key in ${self._variable}",
                f"export {self._variable}=… with a valid key and start again",
            )
        return self._credential


class OpenAiUpstream:
    """One engine. Construction reads settings only."""

    kind: str = KIND
    quirks: frozenset[str] = frozenset({quirks.NO_STREAM_USAGE_WITHOUT_ASKING})

    def __init__(
        self, name: str, settings: UpstreamSettings, home: Home, environ: Mapping[str, str], clock: Clock
    ) -> None:
        """Raises UpstreamInvalid, BadUrl, PlaintextRefused."""
        if not settings.base_url:
            raise UpstreamInvalid(name, "base_url is not set", hint=_ADD.format(name=name, kind=KIND))
        if settings.api_key_env and not _VARIABLE.fullmatch(settings.api_key_env):
            # it may be the key itself: it is not repeated
            raise UpstreamInvalid(name, "api_key_env is the name of a variable, not a key", hint=_NAME_IT)
        self.name = name
        self.settings = settings
        self.home = home
        self.environ = environ
        self.clock = clock
        self.base: Base = parse_base(settings.base_url, allow_plaintext=settings.allow_plaintext)
        self._source = KeyFromEnvironment(name, settings.api_key_env, environ)

    def prepare(self) -> None:
        """The engine runs by itself."""

    def close(self) -> None:
        """Nothing was started."""

    def catalogue(self) -> Catalogue:
        """As last fetched, else as the config lists. Raises CatalogueMissingError."""
        if self.settings.models:
            return self._catalogue(self.settings.models, _CONFIGURED, 0.0)
        return stored_catalogue(self.home, self.name)

    def refresh_catalogue(self) -> Catalogue:
        """GET /models; an engine without it has what the config lists. Raises NoModels, Unreachable, SignInNeeded."""
        try:
            listed, reason = self._listed(), ""
        except MoorError as error:
            if not self.settings.models:
                raise
            listed, reason = (), str(error)
        if self.settings.models:
            catalogue = self._catalogue(self.settings.models, _CONFIGURED, self.clock.now(), reason)
        else:
            catalogue = self._catalogue(listed, _SOURCE, self.clock.now())
        if not catalogue.models:
            raise NoModels(self.name, (reason,) if reason else ("its list of models is empty",))
        save_catalogue(self.home, catalogue)
        return catalogue

    def target(self, dialect: str, model: Model, action: str) -> Target:
        """`base_url` + /chat/completions. Raises NoRouteError for another dialect."""
        if dialect != OPENAI_CHAT or action == COUNT_TOKENS:
            raise NoRouteError(self.name, dialect, model.id, (OPENAI_CHAT,))
        return Target(
            scheme=self.base.scheme,
            host=self.base.host,
            port=self.base.port,
            path=f"{self.base.prefix}/chat/completions",
            auth="bearer" if self.settings.api_key_env else "none",
        )

    def credential(self) -> CredentialSource:
        """The key from the environment."""
        return self._source

    def sign_in(self, talk: Conversation) -> None:  # noqa: ARG002 - nobody can be asked
        """Nothing to do: the key comes from the environment. Raises SignInNeeded when it is missing."""
        self._source.obtain()

    def take_token(self, token: Secret, where: str) -> None:  # noqa: ARG002 - refused
        """Refused: keys of engines are never stored."""
        raise UpstreamInvalid(
            self.name,
            "keys of engines are not stored",
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

    @cached_property
    def _client(self) -> HttpClient:
        from moor.net.client import HttpClient

        return HttpClient(self.base, environ=self.environ, ca_file=self.settings.ca_file, clock=self.clock)

    def _listed(self) -> tuple[str, ...]:
        from moor.workspace.refusals import refusal_of

        credential = self._source.obtain()
        answer = self._client.get("/models", token=credential.secret if credential.secret else None)
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
        return tuple(_ids(answer.json_object()))

    def _catalogue(self, ids: tuple[str, ...], source: str, at: float, reason: str = "") -> Catalogue:
        models = tuple(self._model(model_id, source) for model_id in dict.fromkeys(ids) if is_chat(model_id))
        return Catalogue(upstream=self.name, models=models, fetched_at=at, reasons=(reason,) if reason else ())

    def _model(self, model_id: str, source: str) -> Model:
        """No engine states limits in its list; those of the same model elsewhere are not taken over.

        A list price holds for an engine on the network; what runs on this machine has no known price.
        """
        price = None if is_loopback(self.base.host) else price_of(model_id)
        return Model(id=model_id, family=family_of(model_id), dialects=(OPENAI_CHAT,), source=source, price=price)


def _ids(answer: dict[str, Any]) -> list[str]:
    data = answer.get("data")
    return (
        [str(item["id"]) for item in data if isinstance(item, dict) and item.get("id")]
        if isinstance(data, list)
        else []
    )
