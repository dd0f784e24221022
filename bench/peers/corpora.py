"""The input of the comparison: `mix`, real text with planted variants, its two subsets, and instruction records.

    python -m bench.peers.corpora

`mix` has 200,000 base texts of at least 30 words, no two equal after folding case and white space: functions of the
interpreter and of the packages in this environment, pieces of manual pages and of package documentation, instructions,
and walks over real prose (`bench.corpus`) where the machine has too little. 40,000 variants of them are planted, in
seven levels; which text a variant comes from is kept beside it, in no file that a peer reads. `mix60k` and `mix12k` are
the first 50,000 and 10,000 base texts with their variants. `leak` and its two subsets are the same with held-out
questions planted (`bench.peers.leaks`). `instruct` has 52,000 records of ../shared/data. `vectors20k` to `vectors200k`
are unit vectors of 384 dimensions with near copies among them. `prompts` are numbered requests for a model.

Seeded: one machine makes the same bytes every time. Two machines differ where their packages differ, so each result
names the digest of what it read.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.corpus import SEED, Walk, real_words
from bench.peers import leaks, sources

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench" / "peers"
DATA = ROOT.parent / "shared" / "data"

BASE = 200_000
VARIANTS = 40_000
FEWEST_WORDS = 30
SUBSETS = {"mix60k": 50_000, "mix12k": 10_000}
# The shares of real text that are looked for, in this order; what is missing is filled with walks.
SHARES = {"code": 0.60, "manuals": 0.36, "instructions": 0.04}
# What a variant is: the share of its words that are edited; 0 is an exact copy, None another case and white space.
LEVELS: tuple[float | None, ...] = (0.0, None, 0.01, 0.03, 0.05, 0.10, 0.20)
# Of the edited words so many are replaced and deleted; before the rest a word is inserted.
REPLACED, DELETED = 0.5, 0.3
INSTRUCTIONS = 52_000
ORIGINS = ("real", "synthetic")
# Vectors: the standard deviation falls with the dimension as in the embeddings of texts; one in 50 is a near copy,
# disturbed by up to so much of its own spread, which makes cosines from 1 down to about .9.
DIMENSIONS, CENTRES, SPECTRUM, COPIES, JITTER, BLOCK = 384, 2_000, 0.4, 0.02, 0.7, 10_000
PROMPTS, PROMPT = 4_000, "Write a short note for the archive about item {} and say where it was found."
SUFFIXES = {"vectors": "npy", "prompts": "jsonl"}


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus on disk. `digest` is the SHA-256 of its JSON Lines, the first 16 digits."""

    name: str
    documents: int
    megabytes: float
    digest: str
    parts: dict[str, int]

    @property
    def path(self) -> Path:
        """The file most peers read: columns `id` and `text`, beside it the rows as JSON Lines; vectors; prompts."""
        return FOLDER / f"{self.name}.{SUFFIXES.get(self.name.rstrip('0123456789k'), 'parquet')}"

    @property
    def truth(self) -> Path:
        """What is planted in each row: the row it was made from (-1: a base text) and its level, or the form."""
        return FOLDER / f"{self.name}.truth.parquet"


def corpus(name: str) -> Corpus:
    """Return a corpus by name, made now where it is missing."""
    noted = FOLDER / f"{name}.json"
    if not noted.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        WRITERS[name](name)
    return Corpus(**json.loads(noted.read_text("utf-8")))


def write_mix(_: str) -> None:
    """Write `mix` and its subsets."""
    random = np.random.default_rng(SEED)
    texts, parts = base_texts(random)
    origins = np.concatenate([np.arange(BASE), random.integers(BASE, size=VARIANTS)])
    levels = np.concatenate([np.full(BASE, -1), np.arange(VARIANTS) % len(LEVELS)])
    vocabulary = np.array(sorted({word for text in texts[::97] for word in text.split()}), dtype=object)
    for origin, level in zip(origins[BASE:].tolist(), levels[BASE:].tolist(), strict=True):
        texts.append(variant(texts[origin], LEVELS[level], vocabulary, random))
    order = random.permutation(BASE + VARIANTS)
    for name, limit in {"mix": BASE, **SUBSETS}.items():
        chosen = order[origins[order] < limit]
        keep(name, [texts[row] for row in chosen.tolist()], parts)
        keep_truth(name, chosen, origins, levels)


def base_texts(random: np.random.Generator) -> tuple[list[str], dict[str, int]]:
    """Return the distinct base texts in seeded order, and how many come from where."""
    found: dict[str, str] = {}
    parts = {}
    for part, share in SHARES.items():
        drawn = list(getattr(sources, part)(DATA))
        random.shuffle(drawn)
        parts[part] = fill(found, iter(drawn), len(found) + round(share * BASE))
    walk = Walk.over(real_words(DATA / "text"))
    walked = (" ".join(walk.words[place] for place in row) for row in walk.texts(BASE - len(found), random).tolist())
    parts["walks"] = fill(found, walked, BASE)
    texts = list(found.values())
    random.shuffle(texts)
    return texts, parts


def fill(found: dict[str, str], texts: Iterator[str], most: int) -> int:
    """Add texts that are long enough and not yet there until there are `most`; return how many were added."""
    before = len(found)
    for text in texts:
        words = text.lower().split()
        if len(found) >= most:
            break
        if len(words) >= FEWEST_WORDS:
            found.setdefault(" ".join(words), text)
    return len(found) - before


def variant(text: str, level: float | None, vocabulary: Any, random: np.random.Generator) -> str:
    """Return a copy of a text that is edited to its level; what is edited is whole words, white space is kept."""
    if level is None:
        return "\n ".join(text.upper().split())
    pieces = sources.WORDS.split(text)  # white space at the odd places
    places = range(0, len(pieces), 2)
    edits = min(len(places), max(1, round(level * len(places)))) if level else 0
    for place in random.choice(len(places), edits, replace=False).tolist():
        drawn, new = random.random(), str(vocabulary[int(random.integers(len(vocabulary)))])
        old = pieces[2 * place]
        pieces[2 * place] = new if drawn < REPLACED else "" if drawn < REPLACED + DELETED else f"{new} {old}"
    return "".join(pieces)


def write_leak(name: str) -> None:
    """Write a corpus with held-out questions planted, and the questions beside it."""
    held_out = sources.questions(DATA)
    (FOLDER / "questions.json").write_text(json.dumps(held_out, ensure_ascii=False), "utf-8")
    plain = corpus(name.replace("leak", "mix"))
    texts, forms = leaks.plant(pq.read_table(plain.path)["text"].to_pylist(), held_out)
    keep(name, texts, {"questions": len(held_out), "planted": int((forms >= 0).sum())})
    pq.write_table(pa.table({"form": forms}), FOLDER / f"{name}.truth.parquet")


def write_vectors(name: str) -> None:
    """Write the first vectors of one seeded sequence: around centres, as texts lie around topics, some nearly equal."""
    count = 1_000 * int(name.removeprefix("vectors").removesuffix("k"))
    random = np.random.default_rng(SEED)
    spread = (1.0 + np.arange(DIMENSIONS)) ** -SPECTRUM
    centres = random.standard_normal((CENTRES, DIMENSIONS)) * spread
    blocks = []
    for _ in range(0, count, BLOCK):
        rows = centres[random.integers(CENTRES, size=BLOCK)] + random.standard_normal((BLOCK, DIMENSIONS)) * spread
        copies = np.flatnonzero(random.random(BLOCK) < COPIES)
        rows[copies] = rows[random.integers(BLOCK, size=copies.size)]
        rows[copies] += (
            random.uniform(0.0, JITTER, (copies.size, 1)) * random.standard_normal((copies.size, DIMENSIONS)) * spread
        )
        blocks.append((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))
    vectors = np.concatenate(blocks)[:count]
    np.save(FOLDER / f"{name}.npy", vectors)
    digest = hashlib.sha256(vectors.tobytes()).hexdigest()[:16]
    note(Corpus(name, count, round(vectors.nbytes / 1e6, 1), digest, {"dimensions": DIMENSIONS}))


def write_instructions(_: str) -> None:
    """Write `instruct`: 52,000 records with a prompt and a response; its text is both."""
    rows = list(sources.records(DATA))[:INSTRUCTIONS]
    texts = [f"{row['prompt']}\n{row['response']}" for row in rows]
    keep("instruct", texts, {origin: sum(row["origin"] == origin for row in rows) for origin in ORIGINS}, rows)


def write_prompts(name: str) -> None:
    """Write numbered prompts, so that an answer can be known to belong to its own."""
    rows = [json.dumps({"id": number, "prompt": PROMPT.format(number)}) + "\n" for number in range(PROMPTS)]
    data = "".join(rows).encode()
    (FOLDER / f"{name}.jsonl").write_bytes(data)
    note(Corpus(name, PROMPTS, round(len(data) / 1e6, 1), hashlib.sha256(data).hexdigest()[:16], {}))


def keep(name: str, texts: list[str], parts: dict[str, int], records: list[Any] | None = None) -> None:
    """Write one corpus as Parquet and as JSON Lines, there as `records` where they are given, and the note last."""
    digest, size = hashlib.sha256(), 0
    with (FOLDER / f"{name}.jsonl").open("wb") as file:
        for number, text in enumerate(texts):
            row = {"id": f"d{number:07d}", **(records[number] if records else {"text": text})}
            line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
            digest.update(line)
            size += len(text.encode())
            file.write(line)
    ids = pa.array([f"d{number:07d}" for number in range(len(texts))])
    table = pa.table({"id": ids, "text": pa.array(texts, pa.large_string())})
    pq.write_table(table, FOLDER / f"{name}.parquet", compression="zstd", row_group_size=20_000)
    note(Corpus(name, len(texts), round(size / 1e6, 1), digest.hexdigest()[:16], parts))


def note(made: Corpus) -> None:
    """Write what a corpus is; it counts as made from then on."""
    (FOLDER / f"{made.name}.json").write_text(json.dumps(asdict(made), indent=2) + "\n", "utf-8")


def keep_truth(name: str, chosen: Any, origins: Any, levels: Any) -> None:
    """Write from which row each planted row was made."""
    row_of = np.full(BASE, -1)
    bases = chosen < BASE
    row_of[chosen[bases]] = np.flatnonzero(bases)
    made_from = np.where(bases, -1, row_of[origins[chosen]])
    pq.write_table(pa.table({"source": made_from, "level": levels[chosen]}), FOLDER / f"{name}.truth.parquet")


WRITERS = {
    **dict.fromkeys(("mix", *SUBSETS), write_mix),
    **dict.fromkeys(("leak", "leak60k", "leak12k"), write_leak),
    **dict.fromkeys(("vectors20k", "vectors50k", "vectors200k"), write_vectors),
    "instruct": write_instructions,
    "prompts": write_prompts,
}

if __name__ == "__main__":
    for each in WRITERS:
        print(corpus(each))
