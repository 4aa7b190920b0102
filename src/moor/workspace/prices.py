"""The workspace's own price list, by normal id (facts/databricks 2.3: external-provider-models)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from moor.domain.models import NANO, Price
from moor.errors.base import MoorError
from moor.workspace.discovery.found import dicts
from moor.workspace.http import WorkspaceHttp, pages
from moor.workspace.naming import normal_id

SOURCE: Final = "workspace"
_PATH: Final = "/api/ai-gateway/v2/external-provider-models"


def price_list(http: WorkspaceHttp) -> tuple[dict[str, Price], str]:
    """Prices by normal id, and a sentence when they could not be had. A later region does not replace a first."""
    today = datetime.fromtimestamp(http.client.clock.now(), UTC).date().isoformat()
    found: dict[str, Price] = {}

    def page(token: str) -> dict[str, Any]:
        query = {"page_size": "1000"}
        return http.get(_PATH, {**query, "page_token": token} if token else query, what="asking for prices")

    try:
        for part in pages(page):
            for item in dicts(part.get("models")):
                price = _price(item.get("base_pricing"), today)
                if price is not None:
                    found.setdefault(normal_id(str(item.get("model_name") or "")), price)
    except MoorError as error:
        return found, str(error)
    return found, ""


def _price(pricing: Any, today: str) -> Price | None:
    """None unless input and output are stated; a cache price that is not stated is the input's (never free)."""
    if not isinstance(pricing, dict):
        return None
    fresh, output = _nano(pricing, "input"), _nano(pricing, "output")
    if fresh is None or output is None:
        return None
    read = _nano(pricing, "cache_read")
    write = _nano(pricing, "cache_write")
    return Price(
        input=fresh,
        output=output,
        cache_read=fresh if read is None else read,
        cache_write=fresh if write is None else write,
        source=SOURCE,
        date=today,
        cache_write_1h=_nano(pricing, "cache_write_1h"),
    )


def _nano(pricing: dict[str, Any], kind: str) -> int | None:
    """Nano-dollars per million tokens; numbers may come as text."""
    value = pricing.get(f"{kind}_per_million_tokens")
    if value is None or isinstance(value, bool):
        return None
    try:
        dollars = Decimal(str(value))
    except InvalidOperation:
        return None
    return int(dollars * NANO) if dollars.is_finite() and dollars >= 0 else None
