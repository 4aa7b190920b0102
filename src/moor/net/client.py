"""A small blocking HTTP client for control-plane calls: bounded in time, size, retries and redirects.

It returns answers of any status; `moor.workspace` says what they mean. Loads urllib3: import it where a call is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlencode, urljoin, urlsplit

import urllib3

from moor import __version__
from moor.clock import Clock, SystemClock
from moor.errors.net import AnswerTooLarge, RedirectedAway, Unreachable
from moor.net.answer import Answer
from moor.net.failures import translate
from moor.net.proxy import proxy_for
from moor.net.retry import next_delay
from moor.net.tls import client_context
from moor.net.url import Base
from moor.secrets import Secret

CONNECT_S: Final = 10.0
TOTAL_S: Final = 30.0
MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_REDIRECTS: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LOGIN_PATHS: Final = ("/login", "/oidc/", "/oauth2/")


BEARER: Final = "bearer"


class HttpClient:
    """Calls to one base address. Not for several threads at once."""

    def __init__(
        self,
        base: Base,
        *,
        environ: Mapping[str, str],
        ca_file: str = "",
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
        total_s: float = TOTAL_S,
    ) -> None:
        self.base = base
        self.clock = clock or SystemClock()
        self._sleep = sleep
        self._total_s = total_s
        self._connect_s = min(CONNECT_S, total_s)
        self._proxy = proxy_for(base, environ)
        self._pool = _pool(base, self._proxy, ca_file, environ)

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        token: Secret | None = None,
        auth: str = BEARER,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A read; tried again on 429, 499, 503, 504 and a failed connection, within the total time.

        `auth`: `bearer`, or the name of the header that carries the token.
        """
        target = path + (f"?{urlencode(query)}" if query else "")
        return self._repeated(target, {**_headers(token, auth), **(headers or {})})

    def post_json(self, path: str, body: bytes, *, token: Secret | None = None, auth: str = BEARER) -> Answer:
        """One attempt of a POST, e.g. to see whether a path is served."""
        headers = {**_headers(token, auth), "Content-Type": "application/json"}
        return self._once("POST", path, headers, body, self.clock.monotonic() + self._total_s)

    def post_form(self, path: str, form: Mapping[str, str], *, basic: tuple[str, Secret] | None = None) -> Answer:
        """One POST of a form, never repeated; `basic`: user and password."""
        headers = _headers(None)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        if basic:
            pair = f"{basic[0]}:{basic[1].reveal()}"
            headers.update(urllib3.make_headers(basic_auth=pair))
        return self._once("POST", path, headers, urlencode(form).encode(), self.clock.monotonic() + self._total_s)

    def location(self, target: str) -> str:
        """Where a GET of `target` redirects to, not followed; empty when it does not redirect."""
        answer = self._once("GET", target, _headers(None), None, self.clock.monotonic() + self._total_s)
        return answer.headers.get("location", "") if answer.status in _REDIRECTS else ""

    def close(self) -> None:
        """Close kept connections."""
        self._pool.clear()

    def _repeated(self, target: str, headers: dict[str, str]) -> Answer:
        deadline = self.clock.monotonic() + self._total_s
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._followed(target, headers, deadline)
                delay = next_delay(
                    tries, answer.status, answer.retry_after_s(self.clock.now()), deadline - self.clock.monotonic()
                )
                if delay is None:
                    return answer
            except Unreachable as error:
                if not error.arrived or tries > 1 or deadline - self.clock.monotonic() < 1:
                    raise
                delay = 0.0
            self._sleep(delay)

    def _followed(self, target: str, headers: dict[str, str], deadline: float) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._once("GET", target, headers, None, deadline)
            location = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not location:
                return answer
            target = self._same_place(answer.url, location)
        raise RedirectedAway(answer.url, "itself, again and again")

    def _same_place(self, url: str, location: str) -> str:
        """The path to follow: on the same scheme, host and port, and no sign-in page."""
        absolute = urljoin(url, location)
        parts = urlsplit(absolute)
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        own = urlsplit(self.base.url)
        if (parts.scheme, parts.netloc) != (own.scheme, own.netloc) or parts.path.startswith(_LOGIN_PATHS):
            raise RedirectedAway(url, shown)
        path = parts.path.removeprefix(self.base.prefix)
        return f"{path}?{parts.query}" if parts.query else path

    def _once(self, method: str, target: str, headers: dict[str, str], body: bytes | None, deadline: float) -> Answer:
        url = self.base.url + target
        left = max(0.1, deadline - self.clock.monotonic())
        timeout = urllib3.Timeout(connect=min(self._connect_s, left), read=left)
        try:
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=body,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            with response:
                content = self._read(response, url, deadline)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise translate(
                error, self.base, proxy=self._proxy, connect_s=self._connect_s, total_s=self._total_s
            ) from error
        seen = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, seen, content, url.partition("?")[0])

    def _read(self, response: urllib3.BaseHTTPResponse, url: str, deadline: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(65536, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BYTES:
                raise AnswerTooLarge(url.partition("?")[0], MAX_BYTES)
            if self.clock.monotonic() > deadline:
                raise Unreachable(
                    self.base.authority, f"its answer did not end within {self._total_s:.0f} s", arrived=True
                )
        return b"".join(pieces)


def _headers(token: Secret | None, auth: str = BEARER) -> dict[str, str]:
    headers = {"User-Agent": f"moor/{__version__}", "Accept": "application/json"}
    if token and auth == BEARER:
        headers["Authorization"] = f"Bearer {token.reveal()}"
    elif token:
        headers[auth] = token.reveal()
    return headers


def _pool(base: Base, proxy: str | None, ca_file: str, environ: Mapping[str, str]) -> Any:
    context = client_context(ca_file, environ) if base.scheme == "https" or proxy else None
    if proxy is None:
        return urllib3.PoolManager(ssl_context=context, num_pools=2)
    credentials = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(credentials)) if credentials else None
    return urllib3.ProxyManager(
        proxy, ssl_context=context, proxy_ssl_context=context, proxy_headers=headers, num_pools=2
    )
