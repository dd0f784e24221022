"""Seeds rewritten into harder or rarer instructions, and answers to them.

Evol-Instruct (Xu et al. 2023, WizardLM, arXiv:2304.12244): in depth (constraints, deeper, more concrete, more steps of
reasoning) or in breadth (a new instruction of the same domain). Its four signs of a failed evolution are refused: no
gain over the seed (asked of `against`, or of the same model, at temperature 0), a short answer that is sorry, an
answer of stop words and punctuation, and words of the request inside the new instruction.
"""

import re
from typing import Literal

from holdfast.core.errors import UsageError
from holdfast.core.settings import GeneratorSettings
from holdfast.core.text import normalise, words
from holdfast.generators.writing import (
    Brief,
    Draft,
    Material,
    Write,
    aim,
    item_of,
    need_model,
    need_seeds,
    text_of,
    user,
)
from holdfast.models.chat import Conversation, NoRecord

# Xu et al. 2023: an answer with "sorry" of fewer than 80 words is a refusal.
SORRY_WORDS = 80
DEEPER = {
    "constraints": "Add one more constraint or requirement that changes what a good answer is.",
    "deeper": "Ask for more depth: the reasons, limits or consequences of what it asks about.",
    "concrete": "Replace general notions by concrete ones: a definite case, person, quantity or text.",
    "reasoning": "Change it so that a good answer needs several steps of reasoning, each resting on the one before.",
}
BROADER = {
    "breadth": "Do not rewrite it: write another instruction of the same domain, about something rarer, as long and "
    "as hard as this one."
}
# Words that say nothing alone. "Yes" and "no" are answers.
_STOP_WORDS = (
    "a about after again all also am an and any are as at be because been before being both but by can could did do "
    "does doing down during each few for from further had has have having he her here hers him his how i if in into is "
    "it its itself just me more most my nor now of off on once only or other our out over own same she should so some "
    "such than that the their them then there these they this those through to too under until up very was we were "
    "what when where which while who whom why will with would you your"
)
STOP_WORDS = frozenset(_STOP_WORDS.split())
_LEAKED = re.compile(
    r"#(?:given|new|rewritten|original|created) ?(?:prompt|instruction)s?#?"
    r"|\b(?:given|rewritten|created|evolved) (?:prompt|instruction)\b|-----",
    re.IGNORECASE,
)

ASK = """You improve instructions that people give to an assistant. Here is one, between lines of dashes.

-----
{seed}
-----

{how} It must make sense to a person, stand alone, and be answerable in writing. Keep tables, code and numbers that it \
needs. Add at most {added} words.{aim}
Answer with the instruction and nothing else."""
# Few words at a time, so that the instruction does not only grow longer (10 to 20 in Xu et al. 2023).
ADDED_WORDS = 20

COMPARE = """First instruction:
-----
{seed}
-----

Second instruction:
-----
{evolved}
-----

Do both ask for the same, under the same requirements, with the same depth and breadth? Answer with one word, yes or \
no."""
_YES_OR_NO = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return "seeds": each record evolves one."""
    return "seeds"


def writer(material: Material) -> Write:
    """Return the writer. Raises `UsageError` without a model, seeds or a direction."""
    entry = material.entry
    need_model(entry)
    need_seeds(material)
    if not entry.evolve:
        raise UsageError("Generator evol has no direction.", "Set evolve: [deeper, broader], or leave it out.")

    def write(brief: Brief) -> Conversation[Draft]:
        item = item_of(brief, "evol")
        seed = item.prompt.strip() or item.response.strip()
        ways = DEEPER if brief.random.choice(entry.evolve) == "deeper" else BROADER
        name, how = brief.random.choice(list(ways.items()))
        evolved = text_of((yield user(ASK.format(seed=seed, how=how, added=ADDED_WORDS, aim=aim(brief.cell)))))
        _refuse(seed, evolved)
        same = yield user(
            COMPARE.format(seed=seed, evolved=evolved), model=entry.against or "", decoding={"temperature": 0}
        )
        _need_gain(same.text)
        response = text_of((yield user(evolved)))
        _refuse_answer(response)
        return Draft(evolved, response, fields={"evolved": name}, parents=(item.id,))

    return write


def _refuse(seed: str, evolved: str) -> None:
    """Raise `NoRecord` for an instruction that shows words of the request or is the seed."""
    if leaked := _leaked(seed, evolved):
        raise NoRecord("rejected", "prompt-leaked", leaked)
    if normalise(seed) == normalise(evolved):
        raise NoRecord("rejected", "unchanged")
    if not set(words(evolved)) - STOP_WORDS:
        raise NoRecord("rejected", "only-stop-words")


def _leaked(seed: str, evolved: str) -> str:
    """Return the words of the request that the instruction shows and the seed does not have, or nothing."""
    found = _LEAKED.search(evolved)
    return found[0] if found and found[0].lower() not in seed.lower() else ""


def _need_gain(said: str) -> None:
    """Raise `NoRecord` unless the two instructions were clearly called different."""
    found = _YES_OR_NO.match(said)
    if found is None:
        raise NoRecord("rejected", "gain-unclear", said[:80])
    if found[1].lower() == "yes":
        raise NoRecord("rejected", "no-gain")


def _refuse_answer(response: str) -> None:
    """Raise `NoRecord` for an answer that shows that the instruction cannot be answered."""
    found = words(response)
    if "sorry" in found and len(found) < SORRY_WORDS:
        raise NoRecord("rejected", "sorry")
    if not set(found) - STOP_WORDS:
        raise NoRecord("rejected", "only-stop-words")
