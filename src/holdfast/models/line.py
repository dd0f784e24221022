"""A line: one model of the settings with its endpoint, its gate and its price, and what a run has done over it."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import orjson

from holdfast.core.settings import Model
from holdfast.models.chat import Call, Usage
from holdfast.models.endpoint import Endpoint
from holdfast.models.gate import Gate
from holdfast.models.prices import Rate

LIMITS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Line:
    """A model with its endpoint, its gate, and its price where that is known."""

    model: Model
    endpoint: Endpoint
    gate: Gate
    rate: Rate | None = None

    def key(self, call: Call) -> bytes:
        """Return what the ledger knows a call by: everything that changes its answer, and the sample.

        The address is left out, so that a server may move; the limit of tokens too, which matters to cut answers only.
        """
        decoding = {name: value for name, value in call.decoding.items() if name not in LIMITS}
        messages = [[message.role, message.content] for message in call.messages]
        asked = [self.model.model, self.model.extra_body, messages, decoding, call.schema, call.sample]
        return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()

    def most(self, sent: int, limit: int | None) -> float:
        """Return the most that a request of `sent` bytes can cost."""
        return 0.0 if self.rate is None or limit is None else self.rate.ceiling(sent, limit)

    def cost(self, usage: Usage) -> float | None:
        """Return what an answer cost; None where no price is known."""
        return None if self.rate is None else self.rate.cost(usage)


class Sent(NamedTuple):
    """One request that went out: the model, its numbers in the ledger, its limit of tokens, and what was set aside.

    `tries` are the requests for the same call before it; `tokens` is how many the gate reckons with.
    """

    model: str
    send: int
    row: int
    limit: int | None
    most: float
    tries: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Tally:
    """What a run has done so far, by the name of the model, for whoever looks on.

    Of the conversations that are held together just now there are `jobs`, of which `ended` have come to their end.
    """

    sent: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    fresh: Counter[str] = field(default_factory=Counter)
    reused: Counter[str] = field(default_factory=Counter)
    cost: dict[str, float] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    jobs: int = 0
    ended: int = 0

    def commit(self) -> None:
        """Count the answers that are on disk now: nobody is told of others."""
        if self.fresh:
            self.answered.update(self.fresh)
            self.fresh.clear()

    def add(self, model: str, outcome: str, cost: float | None, *, last: bool) -> None:
        """Take a settled request into account; `last` says that its call is answered with it."""
        self.last[model] = outcome
        self.fresh[model] += last
        self.cost[model] = self.cost.get(model, 0.0) + (cost or 0.0)


def limit_of(call: Call) -> int | None:
    """Return the limit of tokens that a call sets, or None."""
    return next((int(call.decoding[name]) for name in LIMITS if call.decoding.get(name) is not None), None)
