"""Sign-in by a person: the browser's redirect to loopback, or a pasted one. Starts only on a user's own command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TextIO

from moor.errors.auth import SignInPortsBusy, SignInTimeout
from moor.store.credentials import StoredCredential
from moor.workspace.browser import open_browser
from moor.workspace.listener import FIRST_PORT, RedirectListener
from moor.workspace.pkce import authorize_url, new_pkce
from moor.workspace.place import Place
from moor.workspace.redirect import Redirect, code_of, parse_redirect

WAIT_S: Final = 300.0


class Conversation(NamedTuple):
    """How the sign-in speaks to the person."""

    say: Callable[[str], None]
    pasted: TextIO | None
    """where a redirect may be pasted; None: nobody can"""
    browser: bool = True
    """try to open a browser on this machine"""
    wait_s: float = WAIT_S


def sign_in(place: Place, talk: Conversation) -> StoredCredential:
    """Tokens for the person who signs in; BLOCKS up to `wait_s`.

    Raises SignInTimeout, SignInRefused, SignInMismatch, SignInPortsBusy, Unreachable and others.
    """
    endpoints = place.endpoints
    pkce = new_pkce()
    listener = _listener(talk)
    try:
        redirect_uri = listener.redirect_uri if listener else f"http://localhost:{FIRST_PORT}"
        url = authorize_url(endpoints.authorization, redirect_uri, pkce)
        redirect = _ask(place, talk, url, pkce.state, listener)
    finally:
        if listener:
            listener.close()
    code = code_of(redirect, pkce.state, place.host)
    return place.token_endpoint(endpoints).exchange(code, pkce.verifier, redirect_uri)


def _listener(talk: Conversation) -> RedirectListener | None:
    """None where all ports are taken but the answer can be pasted."""
    try:
        return RedirectListener()
    except SignInPortsBusy:
        if talk.pasted is None:
            raise
        return None


def _ask(place: Place, talk: Conversation, url: str, state: str, listener: RedirectListener | None) -> Redirect:
    browser = open_browser(url, place.environ) if talk.browser and listener else None
    _say_how(talk, url, opened=browser is not None)
    pasted = talk.pasted
    try:
        if listener is None:
            return parse_redirect(pasted.readline() if pasted else "")
        redirect = listener.wait(state, place.host, place.clock, talk.wait_s, pasted)
    finally:
        if browser is not None:
            browser.poll()
    if redirect is None:
        raise SignInTimeout(place.host, talk.wait_s)
    return redirect


def _say_how(talk: Conversation, url: str, *, opened: bool) -> None:
    """How to reach the page for signing in, and how to come back from another machine."""
    if opened:
        talk.say(f"opening the browser to sign in; if none appears, open:\n  {url}")
    else:
        talk.say(f"open this address in a browser and sign in:\n  {url}")
    if talk.pasted is not None:
        talk.say("on another machine the browser ends at a localhost page that does not load: paste its address here")
