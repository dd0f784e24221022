"""What two texts have in common, word by word, for showing one beside the other."""

import re
from difflib import SequenceMatcher

_PIECES = re.compile(r"\s+|[^\s]+")


def words(left: str, right: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both texts in pieces, each with whether it differs from the other text; joined they are the texts."""
    ours, theirs = _PIECES.findall(left), _PIECES.findall(right)
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for side, piece in zip(sides, ("".join(ours[a:b]), "".join(theirs[c:d])), strict=True):
            if piece:
                side.append((piece, kind != "equal"))
    return sides
