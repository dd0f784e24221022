"""Real texts with a few tokens drawn anew: what is easy to predict is resampled, all else stays as people wrote it.

Token editing (Zhu et al. 2024, "How to Synthesize Text Data without Model Collapse?", arXiv:2412.14689): tokens whose
probability given what stands before is at least a threshold are replaced by a draw from the same model, and since most
of the text stays real, the error of models trained on such texts over generations has a finite bound. Here the prior
is a word-bigram model of the seeds, no neural one; at most a share `edited` of the words is replaced.

Only plain lower-case words are drawn or replaced. Numbers and words for them, units, negations, names and whatever is
written with a capital, code, formulas and quotations stay, so that a stated answer stays the answer; prompts too.
That an edited sentence means the same, or is grammatical, is not promised.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Literal

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.generators.bigrams import TOKEN, Bigrams
from holdfast.generators.writing import Brief, Draft, Material, Write, item_of, need_seeds, with_response
from holdfast.models.chat import Conversation, NoRecord

# Zhu et al. 2024 resample above 0.99 with a neural prior. A bigram model is never that sure: of the words of 500
# solutions of GSM8K, 17 % may be replaced and reach 0.1, 4 % 0.5, none 0.9.
THRESHOLD = 0.1
# Replacing these turns an answer into another one.
_KEPT = (
    "no not none never neither nor nobody nothing without cannot zero one two three four five six seven eight nine ten "
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty "
    "seventy eighty ninety hundred thousand million billion half halves third thirds quarter quarters fourth fifth "
    "first second once twice double triple dozen pair each every all both any some more less fewer most least than "
    "before after above below over under up down left right true false yes if unless only except per times plus minus "
    "feet foot inches inch yards yard miles mile meters metres meter metre kilometers kilometres centimeters grams "
    "kilograms pounds pound ounces ounce liters litres gallons gallon cups seconds minutes minute hours hour days day "
    "weeks week months month years year decades cents cent dollars dollar euros euro percent degrees"
)
KEPT = frozenset(_KEPT.split())
# What is copied, not written: fences, code, formulas, computed steps, quotations, links.
_COPIED = re.compile(
    r"^ {0,3}(```|~~~).*?(?:^ {0,3}\1|\Z)|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\(.*?\\\)|\\\[.*?\\\]|<<.*?>>|^####.*?$"
    r"|\"[^\"]*\"|\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019|\u00ab[^\u00bb]*\u00bb|\S+(?:://|@)\S+|\b\w+\.\w{2,}\S*"
    r"|^(?: {4}|\t).*?$|<[^<>\n]+>",
    re.MULTILINE | re.DOTALL,
)
_PLAIN = re.compile(r"[^\W\d_]+")


class Prior:
    """The model that words are drawn from: of what followed a word, the plain words alone."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Fit the bigram model."""
        self.bigrams = Bigrams(texts)
        self._plain: dict[str, tuple[list[str], list[int]]] = {}

    def draw(self, before: str, random: Random) -> str:
        """Return a plain word as often as it followed `before`; nothing where none did."""
        if before not in self._plain:
            plain = [(word, count) for word, count in self.bigrams.followers(before) if _is_plain(word)]
            self._plain[before] = [word for word, _ in plain], list(accumulate(count for _, count in plain))
        known, counts = self._plain[before]
        return random.choices(known, cum_weights=counts)[0] if known else ""


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return "seeds": each record edits one."""
    return "seeds"


def writer(material: Material) -> Write:
    """Return the writer, with the bigram model of all seeds. Raises `UsageError` without seeds or a share to edit."""
    share = material.entry.edited
    need_seeds(material)
    if not share:
        raise UsageError(
            "Generator edit may edit nothing: edited is 0.", "Set edited: 0.15, the largest share of words."
        )
    prior = Prior(seed.response for seed in material.seeds)

    def write(brief: Brief) -> Conversation[Draft]:
        yield from ()  # asks no model
        item = item_of(brief, "edit")
        text, changed, total = edit(item.response, prior, share, brief.random)
        if not changed:
            raise NoRecord("rejected", "unchanged")
        return with_response(item, text, edited=round(changed / total, 4))

    return write


def edit(text: str, prior: Prior, share: float, random: Random) -> tuple[str, int, int]:
    """Return the edited text, how many of its words were replaced by others, and how many it has.

    At most `share` of the words are replaced.
    """
    tokens = list(TOKEN.finditer(text))
    total = sum(match[0][0].isalnum() for match in tokens)
    places = list(_open(text, tokens, prior))
    chosen = sorted(random.sample(places, min(len(places), int(share * total))))
    parts, end, changed, last = [], 0, 0, -2
    for place in chosen:
        # The word before a draw stays as it was, so that the two have been seen together.
        if place > last + 1:
            match, last = tokens[place], place
            new = prior.draw(tokens[place - 1][0], random) or match[0]
            changed += new != match[0]
            parts += [text[end : match.start()], new]
            end = match.end()
    return "".join([*parts, text[end:]]), changed, total


def _open(text: str, tokens: Sequence[re.Match[str]], prior: Prior) -> Iterator[int]:
    """Yield the places of the words that may be replaced: plain, outside what is copied, and easy to predict."""
    probabilities = prior.bigrams.probabilities([match[0] for match in tokens])
    copied = iter([*((match.start(), match.end()) for match in _COPIED.finditer(text)), (len(text), len(text))])
    start, end = next(copied)
    for place, match in enumerate(tokens):
        while match.start() >= end and end < len(text):
            start, end = next(copied)
        inside = match.start() < end and match.end() > start
        if place and not inside and probabilities[place] >= THRESHOLD and _is_plain(match[0]):
            yield place


def _is_plain(token: str) -> bool:
    return _PLAIN.fullmatch(token) is not None and token == token.lower() and token not in KEPT
