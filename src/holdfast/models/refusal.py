"""Answers that are nothing but a refusal ("I'm sorry, but I can't help with that."), told by how they open.

Only short answers in English are judged: a refusal that goes on to do the work, or a story in which somebody refuses,
is left to the checks behind.
"""

import re

# Refusals of chat models that do nothing else are a sentence or two.
LONGEST = 300

_APOLOGY = r"(?:i(?:'m| am) (?:(?:very|really|so|truly) )?sorry|sorry|i apologi[sz]e|my apologies|unfortunately)"
_SELF = r"as an? (?:ai|artificial|(?:large )?language)\b[^,.]{0,40},"
_UNABLE = (
    r"i ?(?:can(?:'t|not| not)|won't|will not|(?:am|'m) (?:unable|not able) to|"
    r"(?:am|'m) not (?:comfortable|going to)|must (?:respectfully )?decline|have to decline)"
)
# Beginnings of verbs: "write", "writing".
_WORK = (
    r"(?:to )?(?:assist|help(?! but| feeling| it\b)|comply|provid|fulfil|creat|generat|produc|writ|discuss|engag|"
    r"answer|support|continu|participat|shar|offer|respond|do|accommodat|proceed)\w{0,3}\b"
)
# Without an apology before it, what is not done is named as people name a request: who just talks says something else.
_REQUEST = r"[^.!?\n]{0,40}\b(?:that|this|these|those|such|requests?|content|information|instructions)\b"
_OPENER = re.compile(
    rf"[\s\"'*]*(?:(?:{_APOLOGY}|{_SELF})[,.!]?(?: but)?,? (?:{_SELF} )?{_UNABLE} (?:{_WORK})"
    rf"|{_UNABLE} {_WORK}{_REQUEST}"
    rf"|(?:{_APOLOGY}[,.!]?(?: but)?,? )?{_UNABLE}[.!]?\s*$)",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Tell whether an answer of at most 300 characters opens as a refusal."""
    return len(text) <= LONGEST and _OPENER.match(text.replace("\u2019", "'")) is not None
