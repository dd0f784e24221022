"""Row shapes: which of the user's columns is the prompt, the response, the conversation; found from the first rows.

Names are tried in the order of this file, from the most specific shape to the least; `mapping` (canonical field ->
column) comes before all of them. Where no name is known the longest string column is taken as text, and the layout
says so. What the columns say about provenance is read in `core.reading.provenance`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from holdfast.core.errors import UsageError, nearest
from holdfast.core.reading.turns import is_turns

Row = Mapping[str, Any]
Shape = Literal["messages", "preference", "alpaca", "prompt-completion", "pair", "text", "none"]

# What `--map field=column` may name. `group` and `date` are kept in the row itself and read by who needs them.
FIELDS = (
    "id",
    "prompt",
    "response",
    "text",
    "messages",
    "extra",
    "origin",
    "synthetic_fields",
    "generator",
    "family",
    "revision",
    "source",
    "licence",
    "parents",
    "depth",
    "seed",
    "decoding",
    "cell",
    "group",
    "date",
)

IDS = ("id", "uuid", "_id", "record_id", "sample_id")
CONVERSATIONS = ("messages", "conversation", "conversations", "dialog", "dialogue", "chat")
PROMPTS = ("prompt", "question", "instruction", "query", "problem", "inputs", "input", "user")
RESPONSES = (
    "completion",
    "response",
    "solution",
    "output",
    "answer",
    "generation",
    "assistant",
    "reply",
    "targets",
    "answers",
    "generations",
    "responses",
)
CONTEXTS = ("input", "context")
TEXTS = ("text", "content", "document", "body", "passage", "article", "story", "page_content", "raw_content")
# A task description called `text` beside its answer (MBPP and its like).
TEXT_ANSWERS = ("solution", "code", "summary", "completion", "response")
PAIRS = (("source", "target"), ("src", "tgt"), ("source_text", "target_text"), ("old", "new"), ("before", "after"))
# Two answers to one prompt without a verdict in the row's names: the first is the response, the second is extra.
RIVALS = tuple(
    (f"{name}_{first}", f"{name}_{second}", f"_{first}")
    for name in ("response", "output", "completion", "answer", "generation")
    for first, second in (("1", "2"), ("a", "b"), ("0", "1"))
)

# A column of labels or names is not text: the longest string column must usually hold several words.
MIN_WORDS = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one input's columns go. Columns of `prompt` are joined by line breaks; `note` is for people.

    `suffix` is what the generator's column ends in when there are two answers (`generator_1`).
    """

    shape: Shape
    prompt: tuple[str, ...] = ()
    response: str | None = None
    extra: tuple[str, ...] = ()
    messages: str | None = None
    system: str | None = None
    history: str | None = None
    note: str = ""
    suffix: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold text of this shape."""
        return tuple(name for name in (*self.prompt, self.response, self.messages) if name)

    def describe(self) -> str:
        """Return e.g. 'prompt-completion (prompt = question, response = solution)'."""
        parts = [f"prompt = {' + '.join(self.prompt)}"] if self.prompt else []
        parts += [f"messages = {self.messages}"] if self.messages else []
        parts += [f"{'response' if self.prompt else 'text'} = {self.response}"] if self.response else []
        parts += [f"extra = {', '.join(self.extra)}"] if self.extra else []
        return f"{self.shape} ({', '.join(parts)})" if parts else self.shape


def detect(rows: Sequence[Row], mapping: Mapping[str, str] | None = None) -> Layout:
    """Return the layout of rows that were read from one input. Raises `UsageError` for an unknown column or field."""
    keys = {key: None for row in rows for key in row}
    mapped = _mapped(rows, keys, mapping or {})
    if mapped is not None:
        return mapped
    view = _View(rows, tuple(keys))
    for shape in SHAPES:
        layout = shape(view)
        if layout is not None:
            return layout
    return _longest(view)


@dataclass(frozen=True, slots=True)
class _View:
    """The sampled rows and their column names."""

    rows: Sequence[Row]
    keys: tuple[str, ...]

    def first(self, names: Sequence[str]) -> str | None:
        """The first of `names` that is a column with something in it."""
        return next((name for name in names if name in self.keys and self.values(name)), None)

    def values(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows if row.get(name) not in (None, "", [], {})]

    def strings(self, name: str) -> list[str]:
        return [value for value in self.values(name) if isinstance(value, str)]

    def turns(self, name: str) -> bool:
        values = self.values(name)
        return bool(values) and is_turns(values[0])

    def textual(self, name: str) -> bool:
        values = self.values(name)
        return bool(values) and (isinstance(values[0], (str, list)) and not _numbers(values[0]))


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], (int, float))


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Raise `UsageError` when a field on the left of `--map field=column` does not exist."""
    for name in mapping:
        if name not in FIELDS:
            raise UsageError(f"--map {name}={mapping[name]}: there is no field {name!r}.", nearest(name, FIELDS))


def check_columns(mapping: Mapping[str, str], keys: Mapping[str, None]) -> None:
    """Raise `UsageError` when a column on the right of `--map field=column` does not exist."""
    for name, column in mapping.items():
        if column not in keys:
            raise UsageError(f"--map {name}={column}: there is no column {column!r}.", nearest(column, keys))


def _mapped(rows: Sequence[Row], keys: Mapping[str, None], mapping: Mapping[str, str]) -> Layout | None:
    """Return the layout that the mapping states; the side of a pair that it leaves out is found as usual."""
    check_mapping(mapping)
    if keys:
        check_columns(mapping, keys)
    if "messages" in mapping:
        return Layout("messages", messages=mapping["messages"])
    prompt, response = mapping.get("prompt"), mapping.get("response") or mapping.get("text")
    if response is None and prompt is None:
        return None
    extra = (mapping["extra"],) if "extra" in mapping else ()
    rest = Layout("none")
    if "text" not in mapping and None in (prompt, response):
        taken = {prompt, response, *extra}
        rest = detect([{key: row[key] for key in row if key not in taken} for row in rows])
    if response is None and (rest.response is None or rest.note):
        return Layout("text", response=prompt, extra=extra)
    prompts = (prompt,) if prompt else rest.prompt
    shape: Shape = "prompt-completion" if prompts else "text"
    return Layout(shape, prompts, response or rest.response, extra or rest.extra, system=rest.system)


def _preference(view: _View) -> Layout | None:
    if not (view.first(("chosen",)) and "rejected" in view.keys):
        return None
    prompt = next((name for name in PROMPTS if name in view.keys and view.textual(name)), None)
    return Layout(
        "preference",
        prompt=(prompt,) if prompt else (),
        response="chosen",
        extra=("rejected",),
        system=view.first(("system", "system_prompt")),
    )


def _conversation(view: _View) -> Layout | None:
    name = next((name for name in CONVERSATIONS if name in view.keys and view.turns(name)), None)
    if name is None:
        return None
    return Layout("messages", messages=name, system=view.first(("system", "system_prompt")))


def _rivals(view: _View) -> Layout | None:
    for first, second, suffix in RIVALS:
        if view.textual(first) and second in view.keys:
            prompt = view.first(PROMPTS)
            context = _context(view, prompt)
            note = f"two answers per row: {first} is read as the response, {second} as extra text"
            columns = (prompt, *context) if prompt else ()
            return Layout("preference", columns, first, (second,), note=note, suffix=suffix)
    return None


def _alpaca(view: _View) -> Layout | None:
    if "instruction" not in view.keys or not view.textual("instruction"):
        return None
    response = next((name for name in ("output", "response", "answer") if view.textual(name)), None)
    if response is None or "prompt" in view.keys:
        return None
    return Layout(
        "alpaca",
        prompt=("instruction", *_context(view, "instruction")),
        response=response,
        system=view.first(("system", "system_prompt")),
        history=view.first(("history",)),
    )


def _context(view: _View, prompt: str | None) -> tuple[str, ...]:
    if prompt != "instruction":
        return ()
    return tuple(name for name in CONTEXTS if name in view.keys and view.strings(name))[:1]


def _completion(view: _View) -> Layout | None:
    prompt = next((name for name in PROMPTS if view.textual(name)), None)
    response = next((name for name in RESPONSES if view.textual(name) and name != prompt), None)
    if prompt and response:
        return Layout(
            "prompt-completion",
            prompt=(prompt,),
            response=response,
            system=view.first(("system", "system_prompt")),
        )
    answer = next((name for name in TEXT_ANSWERS if view.textual(name)), None)
    if view.textual("text") and answer:
        return Layout("prompt-completion", ("text",), answer)
    return None


def _translation(view: _View) -> Layout | None:
    pairs = view.values("translation")
    if pairs and isinstance(pairs[0], dict) and len(pairs[0]) == 2:
        first, second = pairs[0]
        return Layout("pair", (f"translation.{first}",), f"translation.{second}")
    return None


def _pair(view: _View) -> Layout | None:
    for first, second in PAIRS:
        if view.strings(first) and view.strings(second):
            return Layout("pair", (first,), second)
    return None


def _text(view: _View) -> Layout | None:
    name = next((name for name in TEXTS if view.strings(name)), None)
    return Layout("text", response=name) if name else None


def _response_only(view: _View) -> Layout | None:
    name = next((name for name in (*RESPONSES, *PROMPTS) if view.textual(name)), None)
    return Layout("text", response=name) if name else None


def _longest(view: _View) -> Layout:
    lengths = {name: sum(map(len, view.strings(name))) for name in view.keys if _wordy(view.strings(name))}
    if not lengths:
        return Layout("none", note="no column holds text; name one with --map text=COLUMN")
    name = max(lengths, key=lambda column: lengths[column])
    return Layout("text", response=name, note=f"no known column name; {name} is the longest text column")


def _wordy(values: Sequence[str]) -> bool:
    words = sorted(len(value.split()) for value in values)
    return bool(words) and words[len(words) // 2] >= MIN_WORDS


SHAPES = (_preference, _conversation, _rivals, _alpaca, _completion, _translation, _text, _pair, _response_only)
