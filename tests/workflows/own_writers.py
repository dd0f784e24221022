"""Writers of a user's own, as the settings name them: functions of a brief that are conversations."""

from collections.abc import Iterator
from random import Random

from holdfast.core.record import Message, Record
from holdfast.generators.writing import Brief, Draft
from holdfast.models.chat import Call, Conversation, NoRecord

NOUNS = ["kestrel", "harbour", "lantern", "orchard", "quarry", "saddle", "thimble", "walnut", "yeast", "zither"]
PHRASES = [
    f"Now the {noun} was {what} by the old keeper of the gate, as everybody there had seen."
    for noun in NOUNS
    for what in ("painted", "stolen")
]

# Five themes without a word in common. What the echo of the proxy answers is about the first.
THEMES = {
    "fox": "lazy fox quick brown dog jumps over own tail again paw burrow",
    "sea": "harbour sailor anchor tide keel rudder gull mast lagoon reef cargo pilot",
    "bread": "flour yeast dough crust oven knead bakery loaf rye sourdough proofing crumb",
    "music": "violin sonata chord tempo orchestra cello melody bassoon rehearsal fugue score aria",
    "law": "court verdict statute appeal plaintiff counsel jury clause tribunal lawsuit testimony bail",
}


def said(theme: str, random: Random, count: int) -> str:
    """Return words of a theme in drawn order."""
    return " ".join(random.choices(THEMES[theme].split(), k=count))


def phrases(brief: Brief) -> Conversation[Draft]:
    """Ask, and put a few of the same twenty sentences together whatever the answer is."""
    yield Call((Message("user", f"Say something for {brief.number}."),))
    return Draft("Say something.", " ".join(brief.random.sample(PHRASES, 10)))


def twice(brief: Brief) -> Conversation[Draft]:
    """Ask for a question and then for its answer; refuse every fourth record."""
    if brief.number % 4 == 3:
        raise NoRecord("rejected", "unwanted", f"number {brief.number}")
    question = yield Call((Message("user", f"A question about {brief.cell.get('topic', 'anything')}."),))
    answer = yield Call((Message("user", f"Answer this: {question.text}"),), decoding={"temperature": 0.0})
    return Draft(question.text, answer.text, fields={"thought": answer.reasoning})


def themed(random: Random, cell: object) -> Iterator[Record]:
    """Write about three of the five themes, and never about the other two."""
    while True:
        theme = random.choice(list(THEMES)[:3])
        yield Record("themed", said(theme, random, 12), said(theme, random, 25))


def elsewhere(brief: Brief) -> Conversation[Draft]:
    """Ask a model that the settings do not have."""
    answer = yield Call((Message("user", "Hello?"),), model="other")
    return Draft("Hello?", answer.text)
