"""A token bucket for an amount per minute (requests, tokens): a bounded burst, then a steady rate.

Amounts are whole. What goes out in any 60 seconds is at most the limit, because burst and refill together stay below
the next whole number. An amount above half the limit is let through by a half full bucket, and what it owes is waited
for afterwards: it could never go else.
"""

MINUTE = 60.0
# Share of the limit that may go at once: small, since servers count in shorter spans than a minute too.
BURST = 0.05


class Bucket:
    """An allowance of `limit` per minute. Amounts larger than the burst make the burst larger for good."""

    def __init__(self, limit: int) -> None:
        self._limit = float(limit)
        self._size = self._level = BURST * limit
        self._at: float | None = None
        self._grow(1.0)

    def delay(self, amount: float, now: float) -> float:
        """Return the seconds until `amount` may go; 0 or less is now."""
        needed = self._grow(amount)
        self._refill(now)
        return 0.0 if self._level >= needed else (needed - self._level) / self._rate

    def take(self, amount: float, now: float) -> None:
        """Take an amount out, or put one back that is negative. The level may fall below 0: a debt."""
        self._refill(now)
        self._level = min(self._level - amount, self._size)

    def _grow(self, amount: float) -> float:
        needed = min(amount, max(1.0, self._limit / 2))
        if needed > self._size:
            self._level += needed - self._size if self._at is None else 0.0
            self._size = needed
        self._rate = (self._limit + 1 - self._size) / MINUTE
        return needed

    def _refill(self, now: float) -> None:
        if self._at is not None:
            self._level = min(self._level + (now - self._at) * self._rate, self._size)
        self._at = now
