"""A simulated workspace in a thread, and a caller for it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim

REDIRECT = "http://localhost:8020"


class Reply:
    """Status, headers and body of one answer."""

    def __init__(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data

    @property
    def text(self) -> str:
        return self.data.decode()

    def json(self) -> Any:
        return json.loads(self.data)

    def events(self) -> list[Any]:
        """The JSON data of each server-sent event; "[DONE]" stays text."""
        blocks = [b for b in self.text.replace("\r\n", "\n").split("\n\n") if b]
        lines = [line for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [line[6:] if line[6:] == "[DONE]" else json.loads(line[6:]) for line in lines]


class Caller:
    """Calls one simulated workspace with a good token of its own."""

    def __init__(self, sim: EmbeddedSim) -> None:
        self.sim = sim
        self.control = sim.control
        self.token = sim.control.mint("oauth").reveal()
        self._pool = urllib3.PoolManager(retries=False, timeout=5)

    def call(self, method: str, path: str, body: Any = None, /, token: str | None = None, **headers: str) -> Reply:
        """One request; `token=""` sends no credential, underscores in header names are dashes."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        bearer = self.token if token is None else token
        if bearer:
            sent.setdefault("authorization", f"Bearer {bearer}")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        base = "" if path.startswith("http") else self.sim.url
        answer = self._pool.request(method, base + path, body=data, headers=sent, redirect=False)
        found = Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data)
        answer.release_conn()
        return found

    def get(self, path: str, **more: Any) -> Reply:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.call("POST", path, body, **more)

    def form(self, **fields: str) -> Reply:
        """The token endpoint."""
        kind = "application/x-www-form-urlencoded"
        return self.call("POST", "/oidc/v1/token", urlencode(fields).encode(), token="", content_type=kind)

    def authorize(self, verifier: str, **changes: str) -> Reply:
        """The authorize page with a good query, changed as told."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": "databricks-cli",
            "redirect_uri": REDIRECT,
            "scope": "all-apis offline_access",
            "state": "st",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            **changes,
        }
        return self.call("GET", f"/oidc/v1/authorize?{urlencode(query)}", token="")

    def sign_in(self, scope: str = "all-apis offline_access") -> dict[str, Any]:
        """A whole browser sign-in; the token endpoint's answer."""
        verifier = secrets.token_urlsafe(32)
        place = self.authorize(verifier, scope=scope).headers["location"]
        code = parse_qs(urlsplit(place).query)["code"][0]
        return dict(self.exchange(code, verifier).json())

    def exchange(self, code: str, verifier: str) -> Reply:
        return self.form(
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=REDIRECT,
            client_id="databricks-cli",
        )

    def refresh(self, token: str) -> Reply:
        return self.form(grant_type="refresh_token", refresh_token=token, client_id="databricks-cli")

    def close(self) -> None:
        self._pool.clear()


@pytest.fixture
def workspace_of() -> Iterator[Callable[..., Caller]]:
    """Makes a workspace with a configuration of its own."""
    made: list[Caller] = []

    def make(**config: Any) -> Caller:
        sim = EmbeddedSim(SimConfig(**config))
        sim.start()
        made.append(Caller(sim))
        return made[-1]

    yield make
    for caller in made:
        caller.close()
        caller.sim.close()


@pytest.fixture
def ws(workspace_of: Callable[..., Caller]) -> Caller:
    """A workspace as it is by default."""
    return workspace_of()


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """One workspace for all tests of a module that change nothing in it."""
    with EmbeddedSim(SimConfig()) as sim:
        caller = Caller(sim)
        yield caller
        caller.close()


@pytest.fixture(scope="module")
def engine() -> Iterator[Caller]:
    """The same, with the OpenAI-compatible engine beside it."""
    with EmbeddedSim(SimConfig(openai_engine=True)) as sim:
        caller = Caller(sim)
        yield caller
        caller.close()
