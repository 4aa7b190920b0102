"""The bank's answers to the purses: it blocks, so that it is asked on a thread.

Apart from the purses, because coroutines stay interpreted (`scripts/compiled.py`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from moor.errors.base import BugError, MoorError

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
    except Exception as error:  # noqa: BLE001 - the thread's boundary: a call that waits must be answered
        _log.exception("asking for the budget failed")
        answer = BugError(f"asking for the budget failed: {type(error).__name__}")
    purse.answered(answer)


async def give_back(bank: Bank, lease: int, amount: int) -> None:
    """Return what is not needed now."""
    try:
        await asyncio.to_thread(bank.give_back, lease, amount)
    except Exception as error:  # noqa: BLE001 - what is not given back counts as held
        _log.warning("a slice of a budget could not be given back: %s", error)


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """All of them are through, well or not."""
    await asyncio.gather(*tasks, return_exceptions=True)
