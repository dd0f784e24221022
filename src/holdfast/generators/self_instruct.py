"""New instructions in the manner of the seeds, and answers to them.

Self-Instruct (Wang et al. 2022, arXiv:2212.10560): some seeds are shown, a new task is asked for, and then its answer.
As there, a task much like a seed is refused (ROUGE-L above 0.7), and so is one that a text model cannot do.
"""

import re
from typing import Literal

from holdfast.core.record import Record
from holdfast.core.settings import GeneratorSettings
from holdfast.core.text import words
from holdfast.generators.likeness import Known
from holdfast.generators.writing import (
    Brief,
    Draft,
    Material,
    Write,
    aim,
    draw_seeds,
    need_model,
    need_seeds,
    text_of,
    user,
)
from holdfast.models.chat import Conversation, NoRecord

# Wang et al. 2022 show eight tasks, refuse a likeness above 0.7, and tasks of fewer than 3 or more than 150 words.
SHOWN = 8
MOST_LIKE = 0.7
FEWEST_WORDS = 3
MOST_WORDS = 150
# Of a longer seed its beginning is shown: eight of them fit a small model's context.
SHOWN_CHARACTERS = 1_500
NOT_FOR_TEXT = re.compile(
    r"\b(?:images?|pictures?|photo(?:graph)?s?|videos?|audio|recordings?|flowcharts?|diagrams?|screenshots?|attached"
    r"|sketch|listen to|click|download|upload|take a walk|play (?:a|an|the|some|this|that|your)\b|sing|dance"
    r"|draw(?! (?:an? |the |any |your )?(?:conclusions?|inferences?|parallels?|comparisons?|lots?|lessons?|from)))\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(?:\W*(?:new )?task(?: \d+)?\W*[:.]|\d+[.):])\s*", re.IGNORECASE)

ASK = """Here are {count} tasks that people gave to an assistant.

{tasks}

Write one new task. It must differ from these in subject and in what is to be done, stand alone with every text or \
number it needs, and be solvable in writing.{aim}
Answer with the task and nothing else."""


def items(entry: GeneratorSettings) -> Literal["seeds", "documents"] | None:  # noqa: ARG001  # one shape for all
    """Return None: seeds are drawn anew for each record, and none is used up."""
    return None


def writer(material: Material) -> Write:
    """Return the writer. Raises `UsageError` without a model, or with fewer than two seeds."""
    need_model(material.entry)
    need_seeds(material, 2)
    known = Known(seed.prompt or seed.response for seed in material.seeds)

    def write(brief: Brief) -> Conversation[Draft]:
        shown = draw_seeds(material, brief.random, material.entry.shots or SHOWN)
        tasks = "\n\n".join(f"Task {number}: {_task(seed)}" for number, seed in enumerate(shown, 1))
        answer = yield user(ASK.format(count=len(shown), tasks=tasks, aim=aim(brief.cell)))
        task = _LABEL.sub("", text_of(answer)).strip()
        _refuse(task, known)
        response = text_of((yield user(task)))
        return Draft(task, response, parents=tuple(seed.id for seed in shown))

    return write


def _task(seed: Record) -> str:
    return (seed.prompt or seed.response)[:SHOWN_CHARACTERS]


def _refuse(task: str, known: Known) -> None:
    """Raise `NoRecord` for what is no task, no task in writing, or a seed again."""
    length = len(words(task))
    if not FEWEST_WORDS <= length <= MOST_WORDS:
        raise NoRecord("rejected", "task-length", f"{length} words")
    if found := NOT_FOR_TEXT.search(task):
        raise NoRecord("rejected", "not-for-text", found[0])
    place = known.like(task, MOST_LIKE)
    if place is not None:
        raise NoRecord("rejected", "copies-seed", f"seed {place + 1}")
