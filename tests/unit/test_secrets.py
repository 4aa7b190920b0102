"""A secret shows itself nowhere but where it is sent."""

from __future__ import annotations

import pickle
import traceback

import pytest

from moor.secrets import Secret, key_hash, mask, new_key, redact

TOKEN = "dapi0123456789abcdef0123456789abcdef"


def test_a_secret_prints_only_its_ends() -> None:
    secret = Secret(TOKEN)
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>40}"):
        assert TOKEN not in text
        assert "cdef" in text
    assert secret.reveal() == TOKEN


def test_a_short_secret_shows_nothing() -> None:
    assert mask("password") == "…"


def test_a_secret_does_not_reach_a_traceback_or_a_pickle() -> None:
    secret = Secret(TOKEN)
    with pytest.raises(ValueError) as caught:
        raise ValueError(f"refused {secret}")
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_secrets_compare_by_value_and_are_false_when_empty() -> None:
    assert Secret("a" * 20) == Secret("a" * 20)
    assert Secret("a") != "a"
    assert not Secret("")


@pytest.mark.feature("F17.5")
@pytest.mark.parametrize(
    "text",
    [
        f"token {TOKEN} refused",
        "Authorization: Bearer abcdefghijklmnop.qrstuvwxyz",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZXYifQ.c2lnbmF0dXJlLXRleHQ",
        "grant_type=refresh_token&refresh_token=s3cr3t-refresh-token-value&client_id=x",
        "client_secret=dose0123456789abcdef",
        "code_verifier=abcdefghijklmnopqrstuvwxyz0123456789",
        pytest.param(f"key {new_key().reveal()}", id="a new key"),
        "OPENAI_API_KEY=sk-abcdefghijklmnop0123456789",
    ],
)
def test_shapes_of_credentials_are_masked_in_text(text: str) -> None:
    masked = redact(text)
    assert "…" in masked
    assert masked != text
    assert redact(masked) == masked


def test_plain_text_passes_the_mask_unchanged() -> None:
    text = "error: 403 from https://dbc-1.cloud.databricks.com, see docs/eyJ and moor-demo"
    assert redact(text) == text


def test_keys_are_long_random_and_stored_as_hashes() -> None:
    keys = {new_key().reveal() for _ in range(50)}
    assert len(keys) == 50
    assert all(len(key) >= 43 for key in keys)
    assert key_hash("a") == key_hash(b"a")
    assert len(key_hash("a")) == 64
