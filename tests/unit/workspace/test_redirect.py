"""The answer of a sign-in page."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.errors.auth import SignInMismatch, SignInRefused
from moor.workspace.pkce import authorize_url, challenge_of, new_pkce
from moor.workspace.redirect import code_of, parse_redirect

HOST = "https://ws.example"


def test_the_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636, appendix B
    assert (
        challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_each_sign_in_has_secrets_of_its_own() -> None:
    first, second = new_pkce(), new_pkce()
    assert len(first.verifier) == 86
    assert set(first.verifier) <= set(string.ascii_letters + string.digits + "-_")
    assert first.challenge == challenge_of(first.verifier)
    assert len({first.verifier, second.verifier, first.state, second.state}) == 4


def test_the_address_for_the_browser_holds_the_challenge_and_never_the_verifier() -> None:
    pkce = new_pkce()
    url = authorize_url("https://ws.example/oidc/v1/authorize", "http://localhost:8020", pkce)
    assert pkce.challenge in url
    assert pkce.verifier not in url
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A8020&" in url
    assert "scope=all-apis+offline_access" in url


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8020/?code=abc&state=st",
        "http://localhost:8020?code=abc&state=st&iss=x",
        "/?code=abc&state=st",
        "code=abc&state=st",
        " 'http://localhost:8020/?code=abc&state=st' \n",
        "http://localhost:8020/?code=a\nbc&state=st",
    ],
)
def test_a_redirect_is_read_however_it_was_pasted(text: str) -> None:
    assert code_of(parse_redirect(text), "st", HOST).reveal() == "abc"


@pytest.mark.parametrize("text", ["", "hello", "http://localhost:8020/favicon.ico", "state=st"])
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(SignInMismatch):
        code_of(parse_redirect(text), "st", HOST)


def test_an_answer_to_another_sign_in_is_refused() -> None:
    for text in ("code=abc&state=other", "code=abc", "error=access_denied&state=other"):
        with pytest.raises(SignInMismatch):
            code_of(parse_redirect(text), "st", HOST)


def test_a_refusal_is_told_in_its_own_words() -> None:
    with pytest.raises(SignInRefused, match="access_denied") as caught:
        code_of(parse_redirect("error=access_denied&error_description=The+user+said+no&state=st"), "st", HOST)
    assert caught.value.context == "The user said no"


@given(st.text(), st.text(min_size=1))
def test_no_text_is_taken_for_an_answer_without_the_state(text: str, state: str) -> None:
    redirect = parse_redirect(text)
    assert not redirect.belongs_to(state) or redirect.state == state
