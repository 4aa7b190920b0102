"""What one call may spend: reserved before it goes out, drawn on as bytes pass, settled at its end (decision 6).

Visible output is drawn as it passes and cut when there is no more. Output nobody sees before its end (one document,
hidden reasoning) is bounded by the call's own output limit, which is lowered to what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from moor.domain.budget import MONEY
from moor.domain.cost import cost_nano, total
from moor.domain.usage import Usage
from moor.ledger.leases import Ask
from moor.wire.meter.base import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from moor.domain.models import Price
    from moor.gateway.purse import Purse

MILLION: Final = 1_000_000
SLICE: Final = 512
"""output tokens that are drawn at a time"""
LEAST: Final = 16
"""a call that could not answer this many tokens is not begun (the Responses API takes no smaller limit)"""
PAID_PIECE: Final = 2048
"""bytes of a stream that are passed on before they are counted: the bound of what is seen beyond a cap"""
_STRIDES: Final = 64
"""a stream reserves at most this part of what is left"""
_LONGEST: Final = 65_536
"""output tokens reserved ahead at most"""
_ROUNDS: Final = 3
"""questions to the bank about one cap before a call begins: others may take what was there a moment ago"""
_HEAVY: Final = 16_384
"""input tokens below which a closer look at the request is not worth it"""
Then = Callable[[], None]
"""what is done once a cap's bank has answered, or others have given back"""
_ENOUGH: Final = 4096
"""output tokens that are enough for most answers: where less is left, a call waits for what others will give back"""
_PATIENCE_S: Final = 60.0
"""how long it waits at most, each time"""


def parted(pieces: list[bytes], size: int) -> tuple[list[bytes], list[bytes], int]:
    """The first `size` bytes, the rest, and how many bytes fewer than `size` there were."""
    for place, piece in enumerate(pieces):
        if len(piece) > size:
            first = pieces[:place]
            return [*first, piece[:size]] if size else first, [piece[size:], *pieces[place + 1 :]], 0
        size -= len(piece)
    return pieces, [], size


class Spend:
    """One call's part of the purses. `price` is known wherever one of them counts money.

    `closer`: a dearer estimate of the input tokens, asked for where the first one would refuse or shorten the answer.
    """

    def __init__(
        self, purses: list[Purse], price: Price | None, input_tokens: int, closer: Callable[[], int] | None = None
    ) -> None:
        self.purses = purses
        self.limit: int | None = None
        """output tokens that the call may ask for; None: as many as it likes"""
        self.scarcest = purses[0]
        """the purse that lowered the limit"""
        self.dry: Purse | None = None
        """the purse that ended or refused the call"""
        self.drawn = 0
        """what the call had drawn of it when it ended"""
        self.clear = 0
        """bytes of the answer that are paid for, whatever they hold"""
        self.needed = 0
        """what it would have needed of it to begin"""
        self._price = price
        self._reserved = [0] * len(purses)
        self._rounds = [_ROUNDS] * len(purses)
        """questions to the bank that are left, by purse: what one cap was told says nothing of another"""
        self._last_word = [0] * len(purses)
        """the bank's answer to what was asked after nothing was left, by purse and counted from its first one; 0:
        something is left"""
        self._inputs: list[int] = []
        """what the request itself costs, by purse"""
        self._rates: list[int] = []
        """of a million output tokens, by purse"""
        self._over = False
        self._ceiling = 0
        self._first = 0
        """output tokens that are reserved at the begin"""
        self._whole = False
        self._begun = False
        self._until: float | None = None
        """the loop's time until which this call waits for others"""
        self._then: Then | None = None
        self._resume: Then | None = None
        """what a stream does that waits; several caps may have it wait, and each tells it"""
        self._afford = 0
        """output tokens that all caps can pay for"""
        self._input_tokens = input_tokens
        self._closer = closer if input_tokens >= _HEAVY else None
        for purse in purses:
            purse.calls += 1
            in_money = price if purse.cap.unit == MONEY else None
            self._rates.append(MILLION if in_money is None else in_money.output)
            rate = MILLION if in_money is None else in_money.input
            self._inputs.append(-(-input_tokens * rate // MILLION))

    def start(self, ceiling: int, *, whole: bool, then: Then) -> None:
        """Reserve what the call needs to begin, then call `then`; `dry` says that it may not.

        `ceiling`: the largest answer, by the call's own limit or the model's. `whole`: it comes in one piece, so that
        all of it is reserved; `limit` is then lowered to what could be.
        """
        self._ceiling, self._whole, self._then = ceiling, whole, then
        self._first = ceiling if whole else min(SLICE, ceiling)
        self._begin()

    def _begin(self) -> None:
        if self._over or self._then is None:
            return
        ceiling = self._ceiling
        while True:
            if self._asks_to_begin() or (self.dry is None and self._asks_for_more()):
                return  # it goes on here when the bank has answered
            if (self.dry is None and self._afford >= ceiling) or not self._is_less():
                break
            self.dry = None
        if self._lets_others_end():
            return
        if self.dry is None:
            self._admitted()
        then = self._then
        self._then = self._closer = None  # both lead back here: cycles, which the collector would have to find
        then()

    def _admitted(self) -> None:
        self._begun = True
        ceiling, self._until = self._ceiling, None
        self.limit = max(min(LEAST, ceiling), self._afford) if self._afford < ceiling else None
        if not self._whole:
            self.clear = BYTES_PER_TOKEN * self._paid(self._inputs)
            return
        for purse, reserved in zip(self.purses, self._reserved, strict=True):
            purse.whole += reserved

    def _lets_others_end(self) -> bool:
        """Wait where too little is left, and calls run that hold far more than they will cost: those whose answer
        comes in one piece, for which all of their limit is reserved."""
        purse = self.dry or self.scarcest
        if self.dry is None and self._afford >= min(self._ceiling, _ENOUGH):
            return False
        if self.dry is not None and self.needed > purse.left + purse.whole:
            return False
        if not self._waits(purse, self._begin):
            return False
        self.dry = None
        for place, one in enumerate(self.purses):
            one.release(self._reserved[place])
            self._reserved[place] = 0
        self._rounds = [_ROUNDS] * len(self.purses)
        return True

    def _waits(self, purse: Purse, then: Then) -> bool:
        if not purse.whole or purse.problem is not None:
            return False
        now = asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + _PATIENCE_S
        elif now >= self._until:
            return False
        purse.wait(self._until - now, then)
        return True

    def _asks_to_begin(self) -> bool:
        """Reserve what the call needs, or as much as there is; True where a bank had to be asked for it."""
        least = min(LEAST, self._ceiling)
        for place, purse in enumerate(self.purses):
            need, cost = self._cost(place, least), self._cost(place, self._first)
            self._fill(place, cost)
            wish = cost - self._reserved[place]
            if wish <= 0:
                continue
            short = need - self._reserved[place]
            if short > 0:
                short += purse.debt
            wish += purse.debt
            stale = purse.standing is None or wish <= purse.outside
            rounds = self._rounds[place]
            told = rounds < _ROUNDS and (purse.refused or purse.outside < short)
            if (short > 0 or stale) and rounds > 0 and not told:
                # the bank may give less than all of the wish: then the limit is lowered
                return self._ask(place, Ask(max(0, short), wish))
            if short > 0:
                self.dry, self.needed = purse, need
                return False
        return False

    def _asks_for_more(self) -> bool:
        """Find out how much the call may answer; True where a bank had to be asked, because what is known may be old:
        others have given back since, or this process has."""
        self._afford = self._ceiling
        for place, purse in enumerate(self.purses):
            tokens = self._affordable(place)
            if tokens < self._ceiling and self._rounds[place] == _ROUNDS:
                wish = self._cost(place, self._first) - self._reserved[place]
                return self._ask(place, Ask(0, max(0, wish)))
            if tokens < self._afford:
                self._afford, self.scarcest = tokens, purse
        return False

    def _ask(self, place: int, ask: Ask) -> bool:
        """Have the bank asked before the call begins; True. A question of another call, whose answer comes first,
        asked for what that one needs: it is none of ours."""
        purse = self.purses[place]
        if not purse.asking:
            self._rounds[place] -= 1
        purse.ask(ask, self._begin)
        return True

    def _is_less(self) -> bool:
        """Whether the input is less than was thought, on a closer look; looks once."""
        closer, self._closer = self._closer, None
        tokens = closer() if closer is not None else self._input_tokens
        if tokens >= self._input_tokens:
            return False
        self._inputs = [-(-cost * tokens // self._input_tokens) for cost in self._inputs]
        self._input_tokens = tokens
        self._rounds = [_ROUNDS] * len(self.purses)
        return True

    def _fill(self, place: int, need: int) -> None:
        missing = need - self._reserved[place]
        if missing > 0:
            purse = self.purses[place]
            got = purse.reserve(missing)
            self._reserved[place] += got
            if self._begun and self._whole:
                purse.whole += got

    def _affordable(self, place: int) -> int:
        """Output tokens that a purse can pay for, as far as known."""
        return self._tokens(place, self._reserved[place] + (0 if self._whole else self.purses[place].left))

    def draw(self, used: Usage, then: Then) -> bool:
        """Whether the answer may go on after `used`; where it must wait for the bank, `then` is called later.

        `dry` is set when it may not go on at all.
        """
        waits = False
        self.clear = 0
        self._resume = then
        tokens, nano = total(used), cost_nano(used, self._price) or 0
        amounts = [nano if purse.cap.unit == MONEY else tokens for purse in self.purses]
        for place, purse in enumerate(self.purses):
            spent = amounts[place]
            ahead = spent + max(self._rates[place] * SLICE // (2 * MILLION), self._stride(place))
            if ahead > self._reserved[place]:
                self._fill(place, ahead)
                if ahead > self._reserved[place] and not purse.refused:
                    purse.ask(Ask(1, ahead - self._reserved[place] + purse.debt))
            if spent < self._reserved[place]:
                self._last_word[place] = 0
                continue
            # what the bank said may be old: others have given back since, or a person has raised the cap; and what it
            # is saying now was asked before
            last = self._last_word[place] = self._last_word[place] or purse.answers + 1 + purse.asking
            if purse.answers < last or (purse.outside > 0 and not purse.refused):
                purse.ask(Ask(1, max(1, ahead - self._reserved[place] + purse.debt)), self._resumed)
                waits = True
            elif not self._whole and self._waits(purse, self._resumed):
                self._last_word[place] = 0
                return False
            else:
                self.dry, self.drawn = purse, spent
                return False
        if not waits:
            self._resume = self._until = None
            self.clear = BYTES_PER_TOKEN * self._paid(amounts)
        return not waits

    def _resumed(self) -> None:
        then, self._resume = self._resume, None
        if then is not None:
            then()

    def _paid(self, spent: list[int]) -> int:
        """Output tokens that what is reserved pays for beyond that."""
        tokens = [
            (reserved - amount) * MILLION // max(1, rate)
            for reserved, amount, rate in zip(self._reserved, spent, self._rates, strict=True)
        ]
        return max(0, min(tokens))

    def _stride(self, place: int) -> int:
        """What is reserved ahead while much is left: a stream is then counted now and then, not at every piece."""
        return min(self.purses[place].left // _STRIDES, self._rates[place] * _LONGEST // MILLION)

    def settle(self, used: Usage, cost: int) -> tuple[tuple[int, int], ...]:
        """The call ended and used and cost that; (lease, amount) for its row. Nothing after the first time."""
        if self._over:
            return ()
        self._over = True
        self._then = self._resume = self._closer = None
        draws: list[tuple[int, int]] = []
        for place, purse in enumerate(self.purses):
            actual = cost if purse.cap.unit == MONEY else total(used)
            if purse.lease and actual:
                draws.append((purse.lease, actual))
            whole = self._reserved[place] if self._begun and self._whole else 0
            purse.settled(self._reserved[place], actual, whole)
        return tuple(draws)

    def _cost(self, place: int, output_tokens: int) -> int:
        """Of the request and that much output."""
        return self._inputs[place] - -output_tokens * self._rates[place] // MILLION

    def _tokens(self, place: int, amount: int) -> int:
        """Output tokens that an amount pays for beside the request."""
        rest = amount - self._inputs[place]
        if rest <= 0:
            return 0
        rate = self._rates[place]
        return rest * MILLION // rate if rate else 1 << 40
