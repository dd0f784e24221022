"""Seeded wording: turn a template with alternatives, slots and a person into a sentence.

A template is plain text with `[one|another|]` (one alternative is drawn, also inside an alternative) and `{slot}`.
`{who}` and `{whose}` name the person once and then sometimes use a pronoun; `{their}` is
always one. No expression is ever evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

# Given names of many languages with the pronouns used for the invented persons.
_SHE = (
    "Amina Beatriz Chiara Dilnoza Esi Farida Greta Hana Ingrid Jasmine Keiko Leila Mei Nadia Oksana Paloma Qiana Rosa "
    "Saoirse Tamar Uma Vesna Wanjiru Ximena Yara Zofia Adaeze Brigid Camille Devika Elif Freya Gulnara Harriet Inés"
)
_HE = (
    "Anselm Bilal Caio Dmitri Emeka Farhad Giorgos Hiro Ivan Jamal Kofi Lars Mateus Nikhil Omar Pedro Quentin Rashid "
    "Stefan Tariq Ulrich Viktor Wei Xavi Yusuf Zoltan Andile Bogdan Cillian Duc Enzo Finn Gunnar Hassan Ismail Tomasz"
)
_PERSONS = tuple((name, "she", "her") for name in _SHE.split()) + tuple((name, "he", "his") for name in _HE.split())

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_LOOSE = re.compile(r" ([.,:;?])")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?:[aeioAEIO]|8\b|8[0-9]\b|11\b|18\b|un(?!i)|hour|honest))")
# How often a person already named becomes a pronoun.
_PRONOUN = 0.5


@dataclass(slots=True)
class Person:
    """The person a problem is about; remembers whether the name has fallen."""

    name: str
    subject: str
    possessive: str
    named: bool = False

    @classmethod
    def draw(cls, random: Random) -> "Person":
        """Draw a person who has not been named yet."""
        return cls(*random.choice(_PERSONS))

    def mention(self, random: Random, slot: str) -> str:
        """Return the name, or a pronoun once the name has fallen."""
        if slot == "their":
            return self.possessive
        pronoun = self.named and random.random() < _PRONOUN
        self.named = True
        if slot == "whose":
            return self.possessive if pronoun else f"{self.name}'s"
        return self.subject if pronoun else self.name


def choose(random: Random, template: str) -> str:
    """Draw one alternative of every bracket, innermost first."""
    while "[" in template:
        template = _CHOICE.sub(lambda match: random.choice(match[1].split("|")), template)
    return template


def sentence(random: Random, template: str, values: Mapping[str, str], person: Person) -> str:
    """Write one sentence: alternatives drawn, slots filled, blanks single, the first letter a capital."""

    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        return person.mention(random, slot) if slot in ("who", "whose", "their") else values[slot]

    text = " ".join(_SLOT.sub(fill, choose(random, template)).split())
    text = _LOOSE.sub(r"\1", text)
    text = _ARTICLE.sub(r"\1n ", text)
    return text[:1].upper() + text[1:]
