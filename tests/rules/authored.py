"""Texts of two authors, people and models, told apart by which common words they use more often."""

from random import Random

from holdfast.core.record import Record
from tests.rules.views import record


def written(people: int, models: int, synthetic: int, first: int = 0) -> list[Record]:
    """Records labelled real that people wrote, such that models wrote, and synthetic ones; each in one of two ways."""
    made = [(n, "real", n >= people) for n in range(people + models)]
    made += [(people + models + n, "synthetic", True) for n in range(synthetic)]
    return [record(first + n, origin, prose(first + n, model=model)) for n, origin, model in made]


def prose(number: int, *, model: bool, words: int = 60) -> str:
    """A text of common words; of those that models use, or people, there are twice as many."""
    random = Random(f"{number} {model}")
    own, other = ("m", "p") if model else ("p", "m")
    starts = random.choices(["c", own, other], [6, 3, 1], k=words)
    return " ".join(f"{start}{random.randrange(40)}" for start in starts)
