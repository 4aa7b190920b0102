"""The bank's answers to the purses: it blocks, so that it is asked on a thread.

Apart from the purses, because coroutines stay interpreted (`scripts/compiled.py`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from moor.errors.base import MoorError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moor.gateway.purse import Bank, Purse
    from moor.ledger.leases import Ask, Grant

_log = logging.getLogger(__name__)


async def ask(bank: Bank, purse: Purse, wanted: Ask) -> None:
    """Have the bank asked, and the purse told on the loop."""
    try:
        answer: Grant | MoorError = await asyncio.to_thread(bank.take, purse.cap, wanted, purse.lease, purse.at)
    except MoorError as error:
        _log.warning("the budget could not be asked for: %s", error)
        answer = error
    purse.answered(answer)


async def give_back(bank: Bank, lease: int, amount: int) -> None:
    """Return what is not needed now."""
    try:
        await asyncio.to_thread(bank.give_back, lease, amount)
    except MoorError as error:
        _log.warning("a slice of a budget could not be given back: %s", error)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """All of them are through, well or not."""
    await asyncio.gather(*tasks, return_exceptions=True)
