"""The money of a run: what is spent, what requests in flight may still cost, and where it stops.

A request is sent only when all of it that could come due fits: what was charged, the most that every open request can
cost, and the most this one can. So the limit is never passed, at the price of stopping a little before it.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Purse:
    """How much may be spent in all (None: no limit), and how much is spent or set aside. One currency, one run."""

    limit: float | None = None
    spent: float = 0.0
    aside: float = 0.0

    def take(self, most: float) -> bool:
        """Set `most` aside for one request and return True; where the limit would be passed, set nothing aside."""
        if self.limit is not None and self.spent + self.aside + most > self.limit:
            return False
        self.aside += most
        return True

    def settle(self, most: float, cost: float) -> None:
        """Turn what was set aside for a request into what it cost."""
        self.aside = max(0.0, self.aside - most)
        self.spent += cost
