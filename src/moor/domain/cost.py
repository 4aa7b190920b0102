"""What usage costs. A module of its own because each call asks for it: it is compiled, a settings class is not."""

from __future__ import annotations

from moor.domain.models import Price
from moor.domain.usage import Usage


def total(usage: Usage) -> int:
    """All tokens, cached ones included."""
    return usage.input + usage.output + usage.cache_read + usage.cache_write


def cost_nano(usage: Usage, price: Price | None) -> int | None:
    """Nano-dollars, rounded up; None where no price is known (never 0)."""
    if price is None:
        return None
    scaled = (
        usage.input * price.input
        + usage.output * price.output
        + usage.cache_read * price.cache_read
        + usage.cache_write * price.cache_write
    )
    if usage.cache_write_1h:
        scaled += usage.cache_write_1h * (price.hour - price.cache_write)
    return -(-scaled // 1_000_000)
