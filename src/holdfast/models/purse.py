"""The money of a run: what is spent, what requests in flight may still cost, and where it stops.

A request is sent only when all of it that could come due fits: what was charged, the most that every open request can
cost, and the most this one can. So the limit is never passed, at the price of stopping a little before it.
"""

from dataclasses import dataclass

from holdfast.core.errors import StoppedError


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

    def spent_up(self) -> StoppedError:
        """Return what stops a run whose next request does not fit."""
        what = f"{self.spent:.4f} is spent or may be charged."
        what = f"The budget of {self.limit or 0.0:g} leaves no room for another request: {what}"
        return StoppedError(what, "Raise budget.cost and run the same command again.", "budget")

    def reopen(self, most: float) -> None:
        """Set aside again what was held as spent: a request of an earlier run is about to be settled after all."""
        self.spent = max(0.0, self.spent - most)
        self.aside += most

    def settle(self, most: float, cost: float) -> None:
        """Turn what was set aside for a request into what it cost."""
        self.aside = max(0.0, self.aside - most)
        self.spent += cost
