"""Injection: text that gives orders to the model that reads it, or plays the role of another speaker.

Phrases that take earlier instructions back, and the control tokens with which chat templates mark who speaks. In a
training text both teach a model to obey whoever writes them. Talk about them is found as well: a finding says to look.
"""

from collections.abc import Iterator
from itertools import islice

from holdfast.privacy.leaks import Leak, Recogniser, compiled, find

RULE = "poison-trigger"

_EARLIER = r"(?:previous|prior|above|earlier|preceding|foregoing|system|original|initial)"
_ORDERS = r"(?:instructions?|prompts?|directions|guidelines|commands?|rules|orders)"

RECOGNISERS = (
    Recogniser(
        "injection",
        rf"(?i:\b(?:ignore|disregard|forget|override|bypass)\s+(?:\w+\s+){{0,3}}?{_EARLIER}\s+(?:\w+\s+){{0,2}}?{_ORDERS}\b)",
    ),
    Recogniser(
        "injection",
        r"(?i:\b(?:reveal|print|repeat|output|leak)\s+(?:me\s+)?(?:your|the)\s+(?:hidden\s+|secret\s+)?system\s+prompt\b)",
    ),
    Recogniser(
        "injection",
        r"(?i:\byou\s+are\s+now\s+(?:in\s+)?(?:DAN|developer\s+mode|jailbroken|unrestricted|an?\s+unrestricted)\b)",
    ),
    Recogniser(
        "role-tag",
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|begin_of_sentence|end_of_turn|end|eom_id|channel)\|>",
    ),
    Recogniser(
        "role-tag",
        r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[/?SYSTEM_PROMPT\]|<" "\uff5c(?:User|Assistant)\uff5c>",
    ),
)
COMPILED = compiled(RECOGNISERS)
PREFILTER = "|".join(f"(?:{recogniser.core})" for recogniser in RECOGNISERS)


def injections(text: str, most: int) -> Iterator[Leak]:
    """Yield the first orders and role tags of a text, by position."""
    yield from islice(find(RULE, COMPILED, text), most)
