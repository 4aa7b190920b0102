"""Kinds of credential, as `auth` in the settings names them and the store keeps them."""

from __future__ import annotations

from typing import Final

OAUTH: Final = "oauth"
"""sign-in in a browser; renewed by its refresh token"""
PAT: Final = "pat"
"""personal access token, by explicit choice"""
M2M: Final = "m2m"
"""service principal, from DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET"""
CLI: Final = "cli"
"""asked of the Databricks CLI"""

KINDS: Final = (OAUTH, PAT, M2M, CLI)
