"""Readings of a response that the public instruction checks are defined by: words, sentences, loose variants.

Sentences and capital words are read as NLTK's English models read them, without its trained tables: the sentence rule
is that of Kiss and Strunk 2006 ("Unsupervised Multilingual Sentence Boundary Detection", Computational Linguistics
32(4)) with a short list of abbreviations, the words follow the Penn Treebank convention. Everything is linear in the
length of the text.
"""

import re
from itertools import product

_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"[.?!](?=[)\";}\]*:@'({\[!?]|$)")
# What the sentence rule splits off the front of a word, and what it draws back to the sentence before.
_FRONT = "()\"';{}[]*:@!?`&#,-"
_CLOSING = "\"')]}"
_NUMBER = re.compile(r"-?[.,]?\d[\d,.-]*")
_SHORTENED = (
    "adm ala ariz ave bldg bros calif capt co col colo conn corp del dr fla fri ft gen gov hon ill inc ind jan feb mar"
    " apr aug sept oct nov dec jr kan ky lt ltd maj mass md messrs mich minn mo mr mrs ms mt nev okla ore pa pres prof"
    " reps rep rev sen sens sgt sr st ste tenn va vs vt wash wis yr a.m p.m e.g i.e u.s u.k u.n d.c n.y n.j n.c s.c l.a"
    " ph.d m.b.a b.a v.s"
)
_ABBREVIATIONS = frozenset(_SHORTENED.split())
# Words that in English stand in capitals only where a sentence begins.
_FIRST_WORDS = (
    "a after all also although an and another any as at because before both but by can could did do does during each"
    " even every few for from had has have he her here his how however if in instead is it its just let many maybe more"
    " most much my no not now of on once one only or other our perhaps please several she should since so some such"
    " than that the their them then there therefore these they this those though thus to under until we well were what"
    " when where whether which while who why will with within without would yes yet you your"
)
_STARTERS = frozenset(_FIRST_WORDS.split())
_TREEBANK = re.compile(
    r"\.\.\.|--|``|n't(?!\w)|'(?:[smd]|ll|re|ve)(?!\w)|,(?!\d)|[^\w\s.,'/+=~^|\\-]"
    r"|(?:(?!n't(?!\w)|--|\.\.\.)(?:[\w./+=~^|\\-]|,(?=\d)|'(?!(?:[smd]|ll|re|ve)(?!\w))))+|,",
    re.IGNORECASE,
)


def words(text: str) -> int:
    r"""Return the number of runs of word characters (`\w+`)."""
    return len(_WORD.findall(text))


def capital_words(text: str) -> int:
    """Return the number of Treebank words that are all capitals; "I" and "A" are such words, and "I'M" is two."""
    chunks = [chunk for chunk in text.split() if not chunk.islower()]
    return sum(token.isupper() for chunk in chunks for token in _TREEBANK.findall(chunk))


def sentences(text: str) -> int:
    """Return the number of sentences; 0 for blank text. "1." at the head of a list is one, as it is for NLTK."""
    chunks = text.split()
    breaks, last = 0, 0
    for place, chunk in enumerate(chunks):
        if "." not in chunk and "!" not in chunk and "?" not in chunk:
            continue
        following = chunks[place + 1] if place + 1 < len(chunks) else ""
        for mark in [match.start() for match in _MARKS.finditer(chunk)][::-1]:
            if mark + 1 == len(chunk) and not following:
                continue
            if _ends(chunk[: mark + 1], "" if chunk[mark + 1 :] else following):
                breaks, last = breaks + 1, (0 if following else mark + 1)
            break
    # What is only closing punctuation belongs to the sentence before it.
    trailing = bool(last) and not chunks[-1][last:].strip(_CLOSING)
    return breaks + bool(chunks) - trailing


def _ends(before: str, following: str) -> bool:
    """Tell whether a sentence ends with the mark at the end of `before`, when the word `following` comes next."""
    if before[-1] != ".":
        return True
    word, starts = before.lstrip(_FRONT)[:-1].lower(), following.strip("*_").rstrip(".,!?;:").lower() in _STARTERS
    known_start = starts and following[:1].isupper()
    if word.endswith("."):
        return known_start
    if word in _ABBREVIATIONS or word.rpartition("-")[2] in _ABBREVIATIONS:
        return known_start
    if len(word) == 1 and word.isalpha():
        return known_start or not following[:1].isalpha()
    return not (_NUMBER.fullmatch(word) and following[:1].islower())


def variants(text: str) -> tuple[str, ...]:
    """Return the eight readings of the loose mode: with and without first line, last line, and asterisks.

    Zhou et al. 2023 (arXiv 2311.07911), section 2.3; the text itself comes first.
    """
    lines = text.split("\n")
    cut = [text]
    for first, last in product((0, 1), repeat=2):
        if first or last:
            cut.append("\n".join(lines[first : len(lines) - last]).strip())
    return tuple(each for kept in cut for each in (kept, kept.replace("*", "")))
