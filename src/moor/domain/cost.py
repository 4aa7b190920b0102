"""What usage costs. A module of its own because each call asks for it: it is compiled, a settings class is not."""

from __future__ import annotations

from msgspec.structs import astuple

from moor.domain.models import Price
from moor.domain.usage import Usage


def total(usage: Usage) -> int:
    """All tokens, cached ones included."""
    used = astuple(usage)
    count: int = used[0] + used[1] + used[2] + used[3]
    return count


def cost_nano(usage: Usage, price: Price | None) -> int | None:
    """Nano-dollars, rounded up; None where no price is known (never 0)."""
    if price is None:
        return None
    return priced(usage, price)


def priced(usage: Usage, price: Price) -> int:
    """The same where the price is known."""
    used, prices = astuple(usage), astuple(price)  # a field read by its name costs as much as a whole tuple
    read, write, hour = used[2], used[3], used[5]
    scaled: int = used[0] * prices[0] + used[1] * prices[1]
    if read or write:
        scaled += read * prices[2] + write * prices[3]
    if hour:
        scaled += hour * (price.hour - prices[3])
    return -(-scaled // 1_000_000)
