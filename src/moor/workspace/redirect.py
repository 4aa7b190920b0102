"""The answer of a sign-in page: from the browser's redirect, or pasted by a person. Pure."""

from __future__ import annotations

import hmac
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from moor.errors.auth import SignInMismatch, SignInRefused
from moor.secrets import Secret


class Redirect(NamedTuple):
    """Query of the redirect."""

    code: str
    state: str
    error: str
    description: str

    @property
    def is_answer(self) -> bool:
        """Whether this is a sign-in's answer at all, not a favicon or a stray visit."""
        return bool(self.code or self.error)

    def belongs_to(self, state: str) -> bool:
        """Whether it is an answer, and to the sign-in of this state."""
        return self.is_answer and hmac.compare_digest(self.state.encode(), state.encode())


def parse_redirect(text: str) -> Redirect:
    """The redirect in a URL, a request target, or a bare query."""
    cleaned = "".join(text.split()).strip("'\"<>")
    query = urlsplit(cleaned).query if "?" in cleaned else cleaned
    fields = parse_qs(query, keep_blank_values=True)
    one = {name: values[0] for name, values in fields.items()}
    return Redirect(one.get("code", ""), one.get("state", ""), one.get("error", ""), one.get("error_description", ""))


def code_of(redirect: Redirect, state: str, host: str) -> Secret:
    """The one-time code. Raises SignInMismatch (another sign-in, or none) or SignInRefused (`error=`)."""
    if not redirect.is_answer:
        raise SignInMismatch("there is neither a code nor an error in it")
    if not redirect.belongs_to(state):
        raise SignInMismatch("its state is another one")
    if redirect.error:
        raise SignInRefused(host, redirect.error[:100], redirect.description[:300])
    return Secret(redirect.code)
