"""Writers of a user's own, as the settings name them: functions of a brief that are conversations."""

from holdfast.core.record import Message
from holdfast.generators.writing import Brief, Draft
from holdfast.models.chat import Call, Conversation, NoRecord

NOUNS = "kestrel harbour lantern orchard quarry saddle thimble walnut yeast zither".split()
PHRASES = [
    f"Now the {noun} was {what} by the old keeper of the gate, as everybody there had seen."
    for noun in NOUNS
    for what in ("painted", "stolen")
]


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
