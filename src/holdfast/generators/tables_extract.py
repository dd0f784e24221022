"""Texts that state facts, and the facts as JSON under given keys.

The schema in `fields` holds the right values as constants, so that the schema verifier judges values, not only shapes;
the prompt shows keys and types alone. Texts tell their facts in drawn order, the hard ones with facts beside the point.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from holdfast.core.reading.turns import json_of
from holdfast.generators.tables_item import GOODS, MONTHS, NAMES, TOWNS, Item
from holdfast.generators.wording import choose


class _Fact(NamedTuple):
    """One fact: the keys it may have, how it is drawn (value, as written), and how it is told with `{}`."""

    keys: str
    draw: Callable[[Random], tuple[Any, str]]
    told: str


def _name(random: Random) -> tuple[Any, str]:
    name = random.choice(NAMES)
    return name, name


def _town(random: Random) -> tuple[Any, str]:
    town = random.choice(TOWNS)
    return town, town


def _good(random: Random) -> tuple[Any, str]:
    good = random.choice(GOODS)
    return good, good


def _whole(low: int, high: int) -> Callable[[Random], tuple[Any, str]]:
    def draw(random: Random) -> tuple[Any, str]:
        number = random.randint(low, high)
        return number, f"{number:,}"

    return draw


def _price(random: Random) -> tuple[Any, str]:
    cents = random.randint(199, 99_999)
    return cents / 100, f"{cents // 100:,}.{cents % 100:02d}"


def _date(random: Random) -> tuple[Any, str]:
    year, month, day = random.randint(2015, 2029), random.randint(1, 12), random.randint(1, 28)
    forms = (f"{day} {MONTHS[month - 1]} {year}", f"{MONTHS[month - 1]} {day}, {year}", f"{year}-{month:02d}-{day:02d}")
    return f"{year}-{month:02d}-{day:02d}", random.choice(forms)


def _code(random: Random) -> tuple[Any, str]:
    code = "".join(random.choice("ABCDEFGHKLMNPRSTUVWXYZ") for _ in range(2)) + f"-{random.randint(1000, 99_999)}"
    return code, code


def _flag(yes: str, no: str) -> Callable[[Random], tuple[Any, str]]:
    def draw(random: Random) -> tuple[Any, str]:
        value = random.random() < 0.5
        return value, yes if value else no

    return draw


_SUBJECTS: Mapping[str, tuple[_Fact, ...]] = {
    "[an order|a purchase]": (
        _Fact("order_id|orderNumber|reference", _code, "[The order has the number|Its reference is|It runs as] {}."),
        _Fact("customer|buyer|client", _name, "[It was placed by|The buyer is|The customer's name is] {}."),
        _Fact("item|product|article", _good, "[What was ordered is a|The article is a|It is about a] {}."),
        _Fact("quantity|count|units", _whole(1, 400), "[They asked for|The quantity is|In number:] {}."),
        _Fact("unit_price|price|pricePerUnit", _price, "[Each costs|The price of one is] {} [euros|EUR]."),
        _Fact("order_date|date|placedOn", _date, "[It was placed on|The date of it is|It came in on] {}."),
        _Fact("express|is_express|urgent", _flag("is urgent", "can wait"), "[Delivery|The delivery|Shipping] {}."),
    ),
    "[an event|a meeting]": (
        _Fact("host|organiser|speaker", _name, "[The host is|It is organised by|Guests are received by] {}."),
        _Fact("city|town|place", _town, "[It takes place in|People meet in|The town is] {}."),
        _Fact("date|day|held_on", _date, "[It is on|The date is|They chose] {}."),
        _Fact("seats|capacity|places", _whole(8, 9000), "[There is room for|The hall seats] {} [people|guests]."),
        _Fact("fee|entry_fee|ticketPrice", _price, "[Entry is|A ticket costs|One pays] {} [euros|EUR]."),
        _Fact("online|streamed|is_online", _flag("will", "will not"), "[It|Everything] {} be shown online."),
    ),
    "[a parcel|a shipment]": (
        _Fact("tracking|tracking_code|parcelId", _code, "[Its code is|It is tracked as|The label says] {}."),
        _Fact("sender|from_person|sentBy", _name, "[It was sent by|The sender is|It comes from] {}."),
        _Fact("origin|from_town|departure", _town, "[It left|It set out from] {}."),
        _Fact("grams|weight_g|weightGrams", _whole(50, 30_000), "[It weighs|Its weight is] {} g."),
        _Fact("content|contents|goods", _good, "[Inside is a|It holds a|It was packed with a] {}."),
        _Fact("delivered_on|arrival|arrivalDate", _date, "[It arrived on|It was delivered on|It got there on] {}."),
        _Fact("signed|signature|isSigned", _flag("was", "was not"), "[The receipt|Receipt of it] {} signed."),
    ),
}  # fmt: skip
_ASIDES = (
    "[The rest is routine|Nothing else is known|More will follow].",
    "[The note|This page] was written in a hurry.",
    "[A second copy|The original] [is in the drawer|was lost|lies with the clerk].",
    "[Please|Kindly] [keep this|file it].",
    "[The telephone|The printer] [was out of order|did not work] that [day|week].",
    "[All names|All figures] were checked.",
)
_ASKS = (
    "[Here is a text|This is a note] about {subject}. [Give|Return|Write down] its facts as [JSON|one JSON object].",
    "[Extract|Take] the [facts|data] from this text about {subject} [as JSON|into a JSON object].",
    "[Turn|Bring] this note about {subject} into [JSON|one JSON object].",
)
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def make(random: Random, hard: bool) -> Item:
    """Return a text with three or four facts, or five or more and facts beside the point, and its JSON."""
    subject = random.choice(list(_SUBJECTS))
    facts = list(_SUBJECTS[subject])
    facts = random.sample(facts, random.randint(5, len(facts)) if hard else random.randint(3, 4))
    value: dict[str, Any] = {}
    sentences = []
    for fact in facts:
        key = random.choice(fact.keys.split("|"))
        value[key], written = fact.draw(random)
        sentences.append(_article(choose(random, fact.told).format(written)))
    if hard:
        for aside in random.sample(_ASIDES, 2):
            sentences.insert(random.randrange(len(sentences) + 1), choose(random, aside))
    keys = random.sample(list(value), len(value))
    value = {key: value[key] for key in keys}
    shape = ", ".join(f"{key} ({_describe(value[key])})" for key in keys)
    ask = choose(random, random.choice(_ASKS)).replace("{subject}", choose(random, subject))
    prompt = f"{ask}\nKeys: {shape}.\n\n{' '.join(sentences)}"
    return Item(prompt, json_of(value), {"schema": _schema(value)})


def _describe(value: Any) -> str:
    is_date = isinstance(value, str) and value[:2] == "20" and value.count("-") == 2
    return "string, YYYY-MM-DD" if is_date else _TYPES[type(value)]


def _article(sentence: str) -> str:
    return sentence.replace(" a i", " an i")


def _schema(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that allows this value alone."""
    members = {key: {"type": _TYPES[type(each)], "const": each} for key, each in value.items()}
    return {"type": "object", "properties": members, "required": list(value), "additionalProperties": False}
