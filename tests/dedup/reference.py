"""What decontamination means, in plain Python: sets of word tuples, no hash, no table. Slow and easy to believe."""

from collections import defaultdict

from holdfast.core.text import parted, words
from holdfast.dedup.decontaminate import BEFORE, BEHIND, HALF, MANY, PIECES, QUARTER, RUN, THIRD
from holdfast.dedup.eval_index import (
    GRAM,
    LEAST_TELLING,
    LINE_WEIGHT,
    MOST_ITEMS,
    WEIGHT,
    operator_hash,
)

Gram = tuple[str, ...]
Found = dict[tuple[int, int], tuple[int, float, int]]


def hits(records: list[str], items: list[tuple[str, str]]) -> Found:
    """(record, item) -> (8-grams matched, coverage, words of the longest run) for records that are plain texts."""
    questions = [tuple(words(question or answer)) for question, answer in items]
    first = [questions.index(question) for question in questions]
    found: Found = {}
    for (item, part), named in owned(items, questions, first).items():
        for number, record in enumerate(records):
            matched, run = overlap(tuple(words(record)), named)
            share = matched / len(named)
            asked = run >= RUN or share >= HALF or (share >= QUARTER and matched >= PIECES)
            answered = (run >= RUN and share >= HALF) or (share >= THIRD and matched >= MANY)
            if matched and (asked, answered, share == 1)[part]:
                longest = max(
                    found.get((number, item), (0, 0.0, 0)), (matched, round(share, 5), run), key=lambda x: x[2]
                )
                found[number, item] = longest
    for item, question in enumerate(questions):
        if first[item] == item and 0 < len(question) < GRAM:
            for number, record in enumerate(records):
                if short_in(record, items[item][0] or items[item][1]):
                    whole = (0, 1.0, len(question))
                    found[number, item] = max(found.get((number, item), whole), whole, key=lambda x: x[2])
    return found


def grams(text: Gram) -> list[Gram]:
    """All 8-grams, in order."""
    return [text[place : place + GRAM] for place in range(len(text) - GRAM + 1)]


def owned(items: list[tuple[str, str]], questions: list[Gram], first: list[int]) -> dict[tuple[int, int], set[Gram]]:
    """(item, 0 question or 1 answer or 2 stem) -> the 8-grams that name it."""
    answers = [tuple(words(answer)) if question else () for question, answer in items]
    stems = [tuple(words(stem(question or answer))) for question, answer in items]
    spread = defaultdict(set)
    for item in range(len(items)):
        for gram in (*grams(questions[item]), *grams(answers[item])):
            spread[gram].add(first[item])
    names = {gram: len(owners) <= MOST_ITEMS and telling(gram) >= LEAST_TELLING for gram, owners in spread.items()}
    found: dict[tuple[int, int], set[Gram]] = {}
    for item in range(len(items)):
        if first[item] == item:
            own = {gram for gram in grams(questions[item]) if names[gram]}
            found[item, 0] = own or set(grams(questions[item]))
        if answers.index(answers[item]) == item:
            found[item, 1] = {gram for gram in grams(answers[item]) if names[gram]} - found.get((item, 0), set())
        if stems.index(stems[item]) == item:
            found[item, 2] = {gram for gram in grams(stems[item]) if names[gram]}
    return {place: named for place, named in found.items() if named}


def stem(question: str) -> str:
    """What is asked before two options, each on a line of its own."""
    lines = question.split("\n")
    for place in range(1, len(lines) - 1):
        if lines[place].startswith("A) ") and lines[place + 1].startswith("B) "):
            return "\n".join(lines[:place])
    return ""


def bare(word: str) -> bool:
    """A number or a single letter."""
    return word.isdecimal() or (len(word) == 1 and word < "\u3040")


def telling(gram: Gram) -> int:
    """How many words are neither numbers nor single letters."""
    return sum(not bare(word) for word in gram)


def overlap(record: Gram, named: set[Gram]) -> tuple[int, int]:
    """(distinct grams of the record that are named, words of the longest run of them)."""
    run = longest = 0
    for gram in grams(record):
        run = run + 1 if gram in named else 0
        longest = max(longest, run)
    return len(named & set(grams(record))), longest + GRAM - 1 if longest else 0


def short_in(record: str, question: str) -> bool:
    """Whether a short question is in a record, as far as its words tell."""
    asked, gaps = parted(question)
    sign = operator_hash(asked, gaps)
    weight = sum(0.0 if bare(word) else 0.5 if len(word) == 1 and word >= "\u3040" else 1.0 for word in asked)
    inside = weight >= LINE_WEIGHT or (weight > 0 and sign != 0)
    found, between = parted(record)
    if not inside:
        return found == asked and (not sign or operator_hash(found, between) == sign)
    for place in range(len(found) - len(asked) + 1):
        end = place + len(asked)
        if found[place:end] != asked:
            continue
        if sign and operator_hash(found[place:end], between[place:end]) != sign:
            continue
        alone = (not place or BEFORE.search(between[place])) and (end == len(found) or BEHIND.search(between[end]))
        if alone or sign or weight >= WEIGHT:
            return True
    return False
