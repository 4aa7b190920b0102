"""Authorised reads of a workspace's REST API, and paging that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from moor.domain.credential import Credential, CredentialSource
from moor.errors.auth import SignInNeeded
from moor.errors.net import ClockSkew
from moor.net.answer import Answer
from moor.workspace.dead import is_dead_credential
from moor.workspace.refusals import clock_skew, refusal_of

if TYPE_CHECKING:
    from moor.net.client import HttpClient

MAX_PAGES: Final = 50


class WorkspaceHttp:
    """One workspace, one credential. A dead credential is renewed once and the read repeated."""

    def __init__(self, client: HttpClient, source: CredentialSource | None = None) -> None:
        self.client = client
        self._source = source
        self.organisation = ""
        """workspace id as the last answer's `x-databricks-org-id` said it"""

    def get(self, path: str, query: Mapping[str, str] | None = None, *, what: str) -> dict[str, Any]:
        """The JSON object at `path`. Raises what `refusals` says of a status, NotJson, Unreachable, SignInNeeded."""
        answer = self.ask(path, query)
        if not 200 <= answer.status < 300:
            raise refusal_of(answer, what, self.client.clock.now())
        return answer.json_object()

    def ask(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """The answer of any status, after the one renewal that a dead credential is given."""
        if self._source is None:
            return self.client.get(path, query)
        credential = self._source.current() or self._source.obtain()
        answer = self._sent(path, query, credential)
        if is_dead_credential(answer.status, answer.body):
            answer = self._sent(path, query, self._renewed(credential, answer))
        return answer

    def _renewed(self, dead: Credential, answer: Answer) -> Credential:
        """Where nothing can be renewed and the clocks are far apart, the clock is told: a sign-in would not help."""
        assert self._source is not None
        try:
            return self._source.obtain(dead=dead)
        except SignInNeeded as error:
            skew = clock_skew(answer, self.client.clock.now())
            if skew is None:
                raise
            raise ClockSkew(self.client.base.authority, skew) from error

    def _sent(self, path: str, query: Mapping[str, str] | None, credential: Credential) -> Answer:
        answer = self.client.get(path, query, token=credential.secret)
        self.organisation = answer.headers.get("x-databricks-org-id", "") or self.organisation
        return answer


Page = Callable[[str], dict[str, Any]]
"""One page by its token (empty: the first)."""


def pages(page: Page) -> Iterator[dict[str, Any]]:
    """Pages until there is no next token, a token comes twice, or there are too many (0.5)."""
    token = ""
    seen = {""}
    for _ in range(MAX_PAGES):
        found = page(token)
        yield found
        token = str(found.get("next_page_token") or "")
        if token in seen:
            return
        seen.add(token)
