"""What a call costs: the user's own price, or the bundled table of genai-prices; unknown stays unknown, never zero.

Nothing is fetched: the table is the one of the installed package, in US dollars, and as old as the package. It is read
plainly, per token read and per token written. Tiers for very long prompts (base price taken), discounts for cached
prompts (not taken) and for batches (not taken) are left out, and a model that is also paid by the request is unknown.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from string import ascii_letters
from typing import Any
from urllib.parse import urlsplit

from holdfast.core.errors import UsageError
from holdfast.core.settings import Model, Settings
from holdfast.models.chat import Usage

MILLION = 1_000_000
TABLE_CURRENCY = "USD"
OWN, LOOPBACK = "settings", "loopback"

# Characters per token of what a text is made of. Least squares over 3,500 real texts (English prose and documentation,
# French documentation, chat, mathematics, Python, JSON, Russian, Chinese) against the two vocabularies of OpenAI,
# cl100k and o200k. The sum over each kind of text comes out at 0.94 to 1.08 of the true count for English, code and
# mathematics (JSON 1.08), 0.90 and 1.01 for French, and for other scripts, on which the two vocabularies differ by
# half, 0.79 with cl100k and 1.24 with o200k. Of single texts 9 in 10 come out between 0.64 and 1.60.
LETTERS_PER_TOKEN = 4.8  # ASCII letters and blanks
SIGNS_PER_TOKEN = 1.7  # other ASCII: digits, punctuation, line breaks
OTHERS_PER_TOKEN = 2.5  # letters with accents, Greek, Cyrillic, Hebrew, Arabic, Indic scripts
WIDE_PER_TOKEN = 1.0  # from U+2E80: Chinese, Japanese, Korean, emoji
# The true count is at least this and at most that many times the estimate: the sums above, rounded outwards.
TOKENS_LOW, TOKENS_HIGH = 0.8, 1.3

_LETTERS = (ascii_letters + " ").encode()
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices per million tokens read and written. `source` is settings, loopback, or the table's provider/model."""

    input: float
    output: float
    source: str

    def cost(self, usage: Usage) -> float:
        """Return what this usage costs, reasoning included, in the currency of the prices."""
        return (usage.input * self.input + usage.output * self.output) / MILLION

    def ceiling(self, input_bytes: int, max_tokens: int) -> float:
        """Return the most that one call can cost.

        `input_bytes` is the length of the serialised messages in UTF-8: a token stands for one byte at least, and the
        braces, quotes and names around each message outweigh the tokens by which a chat template parts them. What an
        endpoint adds in secret, such as a system prompt of its own, and tiers of price are beyond it.
        """
        return self.cost(Usage(input_bytes, max_tokens))


def rate(model: Model) -> Rate | None:
    """Return what a model costs: its price in the settings, 0 on a loopback address, the table's, else None.

    None is not zero: say so, and never spend a budget on it. Without the extra `prices` the table is empty.
    """
    if model.price is not None:
        return Rate(model.price.input, model.price.output, OWN)
    if is_loopback(model.base_url):
        return Rate(0.0, 0.0, LOOPBACK)
    return _listed(model.model, model.base_url)


def rates(settings: Settings) -> Mapping[str, Rate | None]:
    """Return the rate of every model that a generator or a judge uses, by its name in the settings.

    A listed price counts as unknown in another currency than the table's. Raises `UsageError` where `budget.cost` is
    set and a price is unknown, because such a budget would not hold.
    """
    used = {name for entry in settings.generators for name in (entry.model, entry.against) if name is not None}
    used |= set(settings.filters.judge.models if settings.filters.judge else ())
    found = {name: _in(settings.budget.currency, rate(settings.models[name])) for name in sorted(used)}
    unknown = [name for name, each in found.items() if each is None]
    if unknown and settings.budget.cost is not None:
        raise UsageError(f"budget.cost is set, but {unknown_price(settings, unknown[0])}", remedy(unknown[0]))
    return found


def unknown_price(settings: Settings, name: str) -> str:
    """Return the sentence that says that the price of a model of the settings is not known."""
    model = settings.models[name]
    where = f"{model.model} at {model.base_url}, in {settings.budget.currency}"
    return f"the price of model {name} ({where}) is unknown, which is not zero."


def remedy(name: str) -> str:
    """Return what to do about an unknown price."""
    return f"Set models.{name}.price: {{input: ..., output: ...}} per million tokens, or install 'holdfast[prices]'."


def is_loopback(base_url: str) -> bool:
    """Tell whether an address is of this machine: localhost, 127.0.0.0/8 or ::1."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text is, by kinds of characters (constants above); 0 only for an empty text."""
    ascii_part = text.encode("ascii", "ignore")
    signs = len(ascii_part.translate(None, _LETTERS))
    wide = 0 if len(ascii_part) == len(text) else len(_WIDE.findall(text))
    others = len(text) - len(ascii_part) - wide
    letters = len(ascii_part) - signs
    return math.ceil(
        letters / LETTERS_PER_TOKEN + signs / SIGNS_PER_TOKEN + others / OTHERS_PER_TOKEN + wide / WIDE_PER_TOKEN
    )


def _in(currency: str, found: Rate | None) -> Rate | None:
    listed = found is not None and found.source not in (OWN, LOOPBACK)
    return None if listed and currency != TABLE_CURRENCY else found


@cache
def _listed(name: str, base_url: str) -> Rate | None:
    """Return the price of a model at the provider whose address this is; the dearest hour where the hour matters."""
    try:
        from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  # optional extra [prices]
    except ImportError:  # without the table a price is unknown, which is said; MissingExtraError would be too much
        return None
    try:
        provider, model = get_snapshot().find_provider_model(name, None, None, base_url)
    except LookupError:
        return None
    today = datetime.now(UTC)
    hours = [_plain(model.get_prices(today.replace(hour=hour))) for hour in range(_HOURS)]
    known = [prices for prices in hours if prices is not None]
    if len(known) < len(hours):
        return None
    return Rate(max(low for low, _ in known), max(high for _, high in known), f"{provider.id}/{model.id}")


def _plain(prices: Any) -> tuple[float, float] | None:
    """Return the prices of reading and writing, or None where one is missing or each request costs besides."""
    parts = [getattr(each, "base", each) for each in (prices.input_mtok, prices.output_mtok)]
    if None in parts or prices.requests_kcount is not None:
        return None
    return float(parts[0]), float(parts[1])
