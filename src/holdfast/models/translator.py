"""Translators: what translates texts back, by name, and whether it is independent of whoever made the translation.

A translator is a plain callable `(texts, source, target) -> list of texts`, languages as ISO 639-1 codes, None where
it could not translate. Names: `apertium` (Debian packages, no key, no network), or your own "module:function", which
may call any chat model or a CTranslate2 or transformers model by path. A function may carry `name` (the model it
calls) and `family`; without a name it is known as "module:function".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from holdfast.core.errors import UsageError
from holdfast.core.plugins import load
from holdfast.models.apertium import Apertium
from holdfast.models.families import lineage, same_lineage

Translate = Callable[[Sequence[str], str, str], list[str | None]]


@dataclass(frozen=True, slots=True)
class Translator:
    """A translator with the name and the family it is told apart by."""

    name: str
    family: str | None
    call: Translate


def translator(name: str) -> Translator:
    """Return the translator called `name`. Raises `UsageError` for a name nobody has."""
    if name == "apertium":
        return Translator("apertium", "apertium", Apertium())
    if ":" not in name:
        raise UsageError(f"There is no translator {name!r}.", 'Known: apertium, or your own "module:function".')
    call = load(name)
    return Translator(str(getattr(call, "name", name)), getattr(call, "family", None), call)


def independent(back: Translator, forward: str, family: str | None = None) -> bool:
    """Tell whether the two translators share neither model nor family nor teacher, by their names and given families.

    An error that both make is agreed on by a round trip, so that a shared ancestor is enough to refuse it.
    """
    if same_lineage(forward, back.name) is not None:
        return False
    mine = lineage(back.name) | ({back.family.lower()} if back.family else set())
    other = lineage(forward) | ({family.lower()} if family else set())
    return mine.isdisjoint(other)
