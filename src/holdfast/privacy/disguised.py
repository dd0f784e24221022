"""Disguised text: what people see and read as something else, or do not see where text is shown.

Letters of another script that look like Latin ones inside a Latin word, and comments of markup in text that is not
markup. Both count as hidden text. Nothing here is redacted: taking a letter out of a word makes another word.
"""

import re
from collections.abc import Iterator

from holdfast.privacy.hidden import RULE
from holdfast.privacy.leaks import Leak

# Letters that most typefaces draw like a Latin one (Unicode Technical Standard 39, confusables.txt, class MA), of the
# scripts that have many: Cyrillic, Greek, Armenian, Cherokee, and the full-width and mathematical forms of Latin.
CYRILLIC = (
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u0501\u051b\u051d\u04bb"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0405\u0406\u0408"
)
GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03f2\u03f3"
OTHER = "\u0578\u057d\u0585\u0570\u0561\u13aa\u13de\u13a2\u13b3\u13d9"
ALIKE = CYRILLIC + GREEK + OTHER
# One Latin letter and a foreign one is a symbol (a unit, a variable); words are what is disguised.
LEAST_LATIN = 2

COMMENT = "<!--"
PREFILTER = f"[a-zA-Z][{ALIKE}]|[{ALIKE}][a-zA-Z]|{COMMENT}"

_WORD = re.compile(rf"[a-zA-Z{ALIKE}]+")
_LATIN, _FOREIGN = re.compile("[a-zA-Z]"), re.compile(f"[{ALIKE}]")
_LETTER = re.compile(r"[^\W\d_]")
_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
# Text with other tags, or with a fence, is markup or speaks of it: a comment is no surprise there.
_MARKUP = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>|```|<\?xml|<!DOCTYPE", re.IGNORECASE)


def disguised(text: str) -> Iterator[Leak]:
    """Yield words with look-alike letters, and comments in text that is not markup."""
    for word in _WORD.finditer(text):
        start, end = word.span()
        alone = not (_LETTER.match(text[start - 1 : start]) or _LETTER.match(text[end : end + 1]))
        latin, foreign = (len(pattern.findall(word.group())) for pattern in (_LATIN, _FOREIGN))
        if alone and foreign and latin >= LEAST_LATIN:
            yield Leak(RULE, "look-alike-letters", start, end)
    if COMMENT in text and not _MARKUP.search(_COMMENT.sub("", text)):
        for comment in _COMMENT.finditer(text):
            if comment.group(1).strip():
                yield Leak(RULE, "markup-comment", comment.start(), comment.end())
