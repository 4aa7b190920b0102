"""The vendor's own SDK as a client of the simulated workspace."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.filterwarnings("default")

ENVIRONMENT = ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE", "DATABRICKS_CLIENT_ID")


@pytest.fixture
def sdk(monkeypatch, tmp_path):
    import databricks.sdk
    import databricks.sdk.oauth

    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    return databricks.sdk


def test_the_sdk_signs_in_lists_endpoints_and_refreshes(ws, sdk):
    endpoints = sdk.oauth.get_workspace_endpoints(ws.sim.url)
    client = sdk.oauth.OAuthClient(endpoints, redirect_url="http://localhost:8020", client_id="databricks-cli")
    consent = client.initiate_consent()
    place = ws.call("GET", consent.authorization_url, token="").headers["location"]
    query = dict(pair.split("=", 1) for pair in place.split("?", 1)[1].split("&"))
    credentials = consent.exchange_callback_parameters(query)
    token = credentials.token()
    assert token.refresh_token
    renewed = credentials.refresh()
    assert renewed.refresh_token != token.refresh_token
    found = sdk.WorkspaceClient(host=ws.sim.url, token=renewed.access_token)
    assert found.current_user.me().user_name == "dev@example.com"
    names = {endpoint.name: endpoint for endpoint in found.serving_endpoints.list()}
    assert names["databricks-claude-sonnet-4-6"].state.ready.value == "READY"
    assert names["databricks-llama-4-maverick"].state is None


def test_the_sdk_knows_a_machine_and_its_errors(ws, sdk):
    client_id, secret = ws.control.service_principal()
    machine = sdk.WorkspaceClient(host=ws.sim.url, client_id=client_id, client_secret=secret.reveal())
    assert machine.current_user.me().user_name == client_id
    made = machine.tokens.create(lifetime_seconds=60, comment="c")
    assert [info.token_id for info in machine.tokens.list()] == [made.token_info.token_id]
    dead = sdk.WorkspaceClient(host=ws.sim.url, token="dapi" + "0" * 32)
    with pytest.raises(sdk.errors.PermissionDenied, match="Invalid access token"):
        dead.current_user.me()
    with pytest.raises(sdk.errors.ResourceDoesNotExist):
        machine.serving_endpoints.get("nothing")
