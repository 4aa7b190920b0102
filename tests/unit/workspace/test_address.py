"""Addresses of workspaces as people paste them."""

from __future__ import annotations

import pytest

from moor.errors.net import BadUrl, PlaintextRefused
from moor.workspace.address import workspace_address
from moor.workspace.scim import id_in_host


@pytest.mark.parametrize(
    ("pasted", "url", "workspace_id"),
    [
        ("https://dbc-1.cloud.databricks.com/?o=123#job/4", "https://dbc-1.cloud.databricks.com", "123"),
        ("dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com", ""),
        ("https://adb-99.7.azuredatabricks.net/login.html?w=5", "https://adb-99.7.azuredatabricks.net", "5"),
        ("https://dbc-1.cloud.databricks.com/browse/folders/1?o=abc", "https://dbc-1.cloud.databricks.com", ""),
        ("https://gate.example/ws1/", "https://gate.example/ws1", ""),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080", ""),
    ],
)
def test_a_pasted_address_becomes_the_base_of_calls(pasted: str, url: str, workspace_id: str) -> None:
    assert workspace_address(pasted) == (url, workspace_id)


@pytest.mark.parametrize("pasted", ["https://accounts.cloud.databricks.com", "https://https://a.example", "", "a b"])
def test_what_is_no_workspace_is_told(pasted: str) -> None:
    with pytest.raises(BadUrl):
        workspace_address(pasted)


def test_a_plain_address_beyond_this_machine_is_refused() -> None:
    with pytest.raises(PlaintextRefused):
        workspace_address("http://dbc-1.cloud.databricks.com")


def test_azure_and_gcp_hosts_hold_the_workspace_id() -> None:
    assert id_in_host("adb-123.4.azuredatabricks.net") == "123"
    assert id_in_host("123.4.gcp.databricks.com") == "123"
    assert id_in_host("dbc-1.cloud.databricks.com") == ""
