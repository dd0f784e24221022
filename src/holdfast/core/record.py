"""Record and Provenance: one training example and where it came from.

The row view of a data set. Hot paths see Arrow batches (`core.dataset`); people's plug-ins see records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

Origin = Literal["real", "synthetic", "mixed", "unknown"]

ORIGINS: tuple[Origin, ...] = ("real", "synthetic", "mixed", "unknown")


class Message(NamedTuple):
    """One turn of a conversation. `content` is plain text; parts that are not text are named in it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one record came from. Unknown is allowed, is never counted as real, and is itself a finding.

    `synthetic_fields` names what was made when the origin is mixed. `depth` counts synthetic generations
    between this record and real data: 0 is real, 1 was made by a model prompted with real data.
    """

    origin: Origin = "unknown"
    synthetic_fields: tuple[str, ...] = ()
    source: str | None = None
    licence: str | None = None
    generator: str | None = None
    family: str | None = None
    revision: str | None = None
    parents: tuple[str, ...] = ()
    depth: int | None = None
    seed: int | None = None
    decoding: Mapping[str, Any] | None = None
    cell: Mapping[str, Any] | None = None

    @property
    def is_synthetic(self) -> bool:
        """True for synthetic and mixed: by records, mixed counts as synthetic."""
        return self.origin in ("synthetic", "mixed")


@dataclass(frozen=True, slots=True)
class Record:
    """One training example. `prompt` is everything before the last assistant turn, `response` that turn.

    Plain text has an empty prompt. `fields` holds the user's own columns, untouched.
    """

    id: str
    prompt: str
    response: str
    provenance: Provenance = Provenance()
    messages: tuple[Message, ...] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, bool | None] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All training text: the prompt, a line break, the response; the response alone for plain text."""
        return f"{self.prompt}\n{self.response}" if self.prompt else self.response

    @property
    def digest(self) -> str:
        """Content hash (BLAKE2b-128 of prompt and response), 32 hex digits; independent of id and provenance."""
        parts = f"{len(self.prompt)}:{self.prompt}{self.response}"
        return blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
