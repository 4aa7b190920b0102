"""What a model call used. `input` means uncached input; cache reads and writes stand apart."""

from __future__ import annotations

import msgspec

from moor.domain.models import Price


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one call or a sum of calls. `output` includes `reasoning`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cache_write_1h: int = 0
    """of `cache_write`: what is kept for an hour instead of five minutes"""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            self.cache_write_1h + other.cache_write_1h,
        )

    @property
    def total(self) -> int:
        """All tokens, cached ones included."""
        return self.input + self.output + self.cache_read + self.cache_write


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
