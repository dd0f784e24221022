"""Preference pairs: one prompt of a seed, answered by two different models.

That `model` is preferred over `against` is what the settings state, and each record says so (`preferred_by`); nobody
has compared the two answers. What such pairs teach is the difference between the models (Geng et al. 2025, "The Delta
Learning Hypothesis", arXiv:2507.06187), so that one of them should be clearly the better.
"""

from typing import Literal

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.core.text import normalise
from holdfast.generators.writing import (
    Brief,
    Draft,
    Material,
    Write,
    answered,
    asked,
    asking,
    item_of,
    need_model,
    need_seeds,
    text_of,
)
from holdfast.models.chat import Call, Conversation, NoRecord


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return "seeds": each record answers the prompt of one."""
    return "seeds"


def writer(material: Material) -> Write:
    """Return the writer. Raises `UsageError` without seeds or without two different models."""
    entry = material.entry
    need_model(entry)
    need_seeds(material)
    if entry.against is None or entry.against == entry.model:
        said = f"Generator preference needs a second model, not {entry.against!r}."
        raise UsageError(said, "Add against: NAME, the model whose answers are rejected.")
    against = entry.against

    def write(brief: Brief) -> Conversation[Draft]:
        item = item_of(brief, "preference")
        messages = asking(item)
        sides: dict[str, str] = {}
        # In drawn order, so that neither model is always the one that a run ends before.
        for model in brief.random.sample(("", against), 2):
            sides[model] = text_of((yield Call(messages, model=model)))
        if normalise(sides[""]) == normalise(sides[against]):
            raise NoRecord("rejected", "same-answer")
        fields = {"rejected": sides[against], "chosen_model": entry.model, "rejected_model": against}
        fields["preferred_by"] = "settings"
        origin, made = answered(item)
        return asked(messages, sides[""], fields=fields, origin=origin, synthetic_fields=made, parents=(item.id,))

    return write
