"""What refusals mean, in all the shapes that were recorded."""

from __future__ import annotations

from email.utils import formatdate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.errors.base import MoorError
from moor.errors.net import ClockSkew, NotJson
from moor.errors.upstream import (
    CredentialRefused,
    FeatureOff,
    Forbidden,
    NotFound,
    RateLimited,
    UpstreamError,
    UpstreamFailing,
)
from moor.net.answer import Answer
from moor.workspace.refusals import refusal_of, words_of

NOW = 1_800_000_000.0


def answer(status: int, body: bytes, **headers: str) -> Answer:
    return Answer(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, body, "https://ws.example/x"
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (403, b'{"error_code":"PERMISSION_DENIED","message":"no USE SCHEMA"}', Forbidden, "no USE SCHEMA"),
        (404, b'{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"gone"}', NotFound, "gone"),
        (400, b'{"error_code":"FEATURE_DISABLED","message":"off"}', FeatureOff, "off"),
        (404, b'{"error_code":"FEATURE_DISABLED","message":"off"}', FeatureOff, "off"),
        (
            400,
            b'{"error_code":"BAD_REQUEST","message":"ModelProviderService feature is not available"}',
            FeatureOff,
            "M",
        ),
        (429, b"", RateLimited, ""),
        (400, b'{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"slow"}', RateLimited, "slow"),
        (403, b'{"error_code":403,"message":"Invalid access token. [ReqId: 1]"}', CredentialRefused, "Invalid"),
        (401, b"", CredentialRefused, ""),
        (499, b"", UpstreamFailing, ""),
        (503, b"<html><pre>TEMPORARILY_UNAVAILABLE: later</pre></html>", UpstreamFailing, "later"),
        (500, b"<html>oops</html>", UpstreamFailing, "oops"),
        (400, b'{"error":{"message":"too long","type":"invalid_request_error"}}', UpstreamError, "too long"),
        (400, b"INVALID_PARAMETER_VALUE: bad page", UpstreamError, "bad page"),
        (404, b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"no user"}', NotFound, "no user"),
        (400, b"\xff\xfe", UpstreamError, ""),
        (400, b"[1]", UpstreamError, "1"),
    ],
)
def test_each_shape_becomes_the_error_it_means(status: int, body: bytes, kind: type[MoorError], said: str) -> None:
    error = refusal_of(answer(status, body), "asking", NOW)
    assert type(error) is kind
    assert said in error.context
    assert str(status) in error.message
    assert error.hint or kind is UpstreamError


def test_a_page_is_not_taken_for_a_refusal() -> None:
    error = refusal_of(answer(403, b"<!doctype html>blocked by the firewall"), "asking", NOW)
    assert type(error) is NotJson


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_a_dead_credential_with_clocks_apart_is_told_as_a_clock_problem(skew: float) -> None:
    error = refusal_of(answer(401, b"", date=formatdate(NOW + skew, usegmt=True)), "asking", NOW)
    assert type(error) is ClockSkew
    assert error.exit_code == 3
    assert ("behind" if skew > 0 else "ahead of") in error.message


def test_a_dead_credential_with_clocks_together_is_no_clock_problem() -> None:
    error = refusal_of(answer(401, b"", date=formatdate(NOW + 60, usegmt=True)), "asking", NOW)
    assert type(error) is CredentialRefused


def test_credentials_in_an_error_text_are_masked_and_long_texts_cut() -> None:
    token = "dapi0123456789abcdef0123456789abcdef"
    _, said = words_of(msgspec.json.encode({"message": f"bad {token} " + "x" * 1000}))
    assert token not in said
    assert len(said) < 450


@given(st.binary(max_size=300), st.sampled_from([400, 401, 403, 404, 429, 499, 500, 503]))
def test_any_body_becomes_some_error(body: bytes, status: int) -> None:
    error = refusal_of(answer(status, body), "asking", NOW)
    assert isinstance(error, MoorError)
    assert all(character.isprintable() or character == "\n" for character in error.context)
