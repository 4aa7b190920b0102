"""The address of a workspace as people give it: often copied from a browser (facts/databricks 0.1)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from moor.errors.net import BadUrl
from moor.net.url import parse_base

_CLOUD: Final = re.compile(
    r"(?:^|\.)(?:cloud\.databricks\.(?:com|us|mil)|azuredatabricks\.(?:net|us|cn)|gcp\.databricks\.com)$"
)
_ACCOUNTS: Final = re.compile(r"^accounts\.")
_ID_KEYS: Final = ("w", "o", "workspace_id")


class Address(NamedTuple):
    """Base URL, and the workspace id where the address held one."""

    url: str
    workspace_id: str


def workspace_address(text: str, *, allow_plaintext: bool = False) -> Address:
    """The base URL in what was typed or pasted. Raises BadUrl, PlaintextRefused.

    Of a Databricks host only scheme and host are kept; elsewhere (simulator, reverse proxy) the path is a prefix.
    """
    given = text.strip()
    if given.count("://") > 1:
        raise BadUrl(given, "it holds two addresses")
    parts = urlsplit(given if "://" in given else f"https://{given}")
    query = parse_qs(parts.query) | parse_qs(parts.fragment.partition("?")[2])
    numbers = [value for key in _ID_KEYS for value in query.get(key, []) if value.isdigit()]
    base = parse_base(parts._replace(query="", fragment="").geturl(), allow_plaintext=allow_plaintext)
    if _CLOUD.search(base.host):
        base = base._replace(prefix="")
        if _ACCOUNTS.match(base.host):
            raise BadUrl(given, "it is the account console, not a workspace")
    return Address(base.url, numbers[0] if numbers else "")
