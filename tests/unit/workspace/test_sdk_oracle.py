"""The Databricks SDK as a second opinion: same challenge, same addresses, same reading of ~/.databrickscfg."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from moor.clock import SystemClock
from moor.sim.embedded import EmbeddedSim
from moor.workspace.cfgfile import load_profile
from moor.workspace.metadata import OidcEndpoints
from moor.workspace.pkce import CLIENT_ID, authorize_url, challenge_of, new_pkce
from moor.workspace.place import Place

SCOPES = ["all-apis", "offline_access"]


@pytest.fixture(scope="module")
def sdk() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import databricks.sdk.core
        import databricks.sdk.oauth
    return databricks.sdk


def consent_of(sdk: Any, url: str) -> Any:
    """A sign-in begun by the SDK."""
    client = sdk.oauth.OAuthClient(
        oidc_endpoints=sdk.oauth.get_workspace_endpoints(url),
        client_id=CLIENT_ID,
        redirect_url="http://localhost:8020",
        scopes=SCOPES,
    )
    return client.initiate_consent()


def test_a_sign_in_asks_for_what_the_sdk_asks_for(sdk: Any, sim: EmbeddedSim) -> None:
    consent = consent_of(sdk, sim.url)
    theirs = parse_qs(urlsplit(consent.authorization_url).query)
    endpoints = Place(sim.url, environ={}, clock=SystemClock()).endpoints
    ours = parse_qs(urlsplit(authorize_url(endpoints.authorization, "http://localhost:8020", new_pkce())).query)
    own = ("state", "code_challenge")
    assert {key: value for key, value in ours.items() if key not in own} == {
        key: value for key, value in theirs.items() if key not in own
    }
    assert set(ours) == set(theirs)
    assert consent.authorization_url.partition("?")[0] == endpoints.authorization


def test_the_challenge_is_computed_as_the_sdk_does(sdk: Any, sim: EmbeddedSim) -> None:
    consent = consent_of(sdk, sim.url)
    verifier = consent.as_dict()["verifier"]
    assert parse_qs(urlsplit(consent.authorization_url).query)["code_challenge"] == [challenge_of(verifier)]


def test_both_find_the_same_endpoints(sdk: Any, sim: EmbeddedSim) -> None:
    theirs = sdk.oauth.get_workspace_endpoints(sim.url)
    ours = Place(sim.url, environ={}, clock=SystemClock()).endpoints
    assert ours == OidcEndpoints(theirs.authorization_endpoint, theirs.token_endpoint)


@pytest.mark.parametrize("profile", ["DEFAULT", "one", "two", ""])
def test_the_profile_file_is_read_as_the_sdk_reads_it(
    sdk: Any, sim: EmbeddedSim, tmp_path: Path, profile: str
) -> None:
    path = tmp_path / "cfg"
    path.write_text(
        f"[DEFAULT]\nhost = {sim.url}\ntoken = dapiaaaa\n\n[one]\nhost = {sim.url}\ntoken = dapi1%1\n; comment\n"
        f"[two]\nHOST: {sim.url}\ntoken=dapi2\n# [three]\n\n[__settings__]\ndefault_profile = two\n",
        encoding="utf-8",
    )
    ours = load_profile({"HOME": str(tmp_path), "DATABRICKS_CONFIG_FILE": str(path)}, profile)
    theirs = sdk.core.Config(config_file=str(path), profile=profile or None)
    assert (ours.host, ours.pat().reveal()) == (theirs.host, theirs.token)
