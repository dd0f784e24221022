"""View: what a rule sees of a data set. Facts are worked out when a rule first asks, and once.

A rule is a plain callable `view -> iterator of Outcome`. It reads facts here and never touches files.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.dataset import Dataset, text_of
from holdfast.core.engine import Kernel, Progress, Runner, Stage, map_located, map_shards
from holdfast.core.epochs import epoch_of
from holdfast.core.record import ORIGINS
from holdfast.core.settings import Settings
from holdfast.core.verdict import Evidence, Measurement
from holdfast.dedup import copies, near, semantic, templates, themes
from holdfast.dedup.clusters import NearDuplicates, NearSpec, SemanticSpec
from holdfast.dedup.decontaminate import Shared, contaminated, explained
from holdfast.dedup.exact import ExactDuplicates, of_any_size, representatives
from holdfast.dedup.reworded import NEAR, reworded
from holdfast.dedup.seal import HeldOut
from holdfast.dedup.semantic import Paraphrases
from holdfast.metrics import sketch, tail
from holdfast.metrics.anchor import PIECES, Sample, compare
from holdfast.models.encoder import Encoder, Vectors
from holdfast.models.encoders import is_semantic, open_encoder
from holdfast.models.families import family as known_family
from holdfast.privacy.scan import scan as scan_leaks
from holdfast.rules import authorship
from holdfast.rules.census import COLUMNS, MIXED, REAL, SYNTHETIC, UNKNOWN, census
from holdfast.rules.standing import standing
from holdfast.stats.proportion import share
from holdfast.stats.resample import draw, units

# An excerpt is for recognising a record, not for reading it.
EXCERPT = 240
TEXT = ("prompt", "response")
# Diversity is compared at equal budget, so that more documents than this only narrow the interval.
COMPARED = 4_000
# Up to so many words all word types are counted, of more one in 64: thousands in any text of that length.
ALL_WORDS, PART = 4_000_000, 64
# For what runs in this process; more hold more shards at once without being faster.
THREADS = min(4, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class View:
    """A data set with everything it is held against. Arrays are indexed by global index."""

    data: Dataset
    settings: Settings
    runner: Runner
    spool: Path
    real: Dataset | None = None
    held_out: HeldOut | None = None
    sampled: bool = False
    max_bad: int = 0
    evidence_limit: int = 100
    progress: Progress | None = field(default=None, repr=False)

    @property
    def n(self) -> int:
        """How many records there are."""
        return self.data.rows

    @property
    def student(self) -> str | None:
        """The name of the model that will be trained on this set, where it was given."""
        return self.settings.student.name if self.settings.student else None

    @cached_property
    def census(self) -> pa.Table:
        """One row per record with the columns of `rules.census`."""
        return pa.concat_tables(self._map("counting", census, self.data, COLUMNS, keeps_rows=True)).combine_chunks()

    @cached_property
    def origin(self) -> np.ndarray:
        """Index into ORIGINS per record."""
        return self._column("origin")

    @cached_property
    def words(self) -> np.ndarray:
        """Words per record."""
        return self._column("words")

    @cached_property
    def synthetic_words(self) -> np.ndarray:
        """Words per record that a machine made; 0 for real and for unknown records."""
        return self._column("synthetic_words")

    @cached_property
    def synthetic(self) -> np.ndarray:
        """Global indices of synthetic records; mixed ones are among them."""
        return np.flatnonzero(np.isin(self.origin, (SYNTHETIC, MIXED)))

    @cached_property
    def labelled_real(self) -> np.ndarray:
        """Global indices of the records labelled real."""
        return np.flatnonzero(self.origin == REAL)

    @cached_property
    def unknown(self) -> np.ndarray:
        """Global indices of the records whose origin nobody stated."""
        return np.flatnonzero(self.origin == UNKNOWN)

    @cached_property
    def origins(self) -> dict[str, int]:
        """Records by origin."""
        counted = np.bincount(self.origin, minlength=len(ORIGINS))
        return dict(zip(ORIGINS, counted.tolist(), strict=True))

    @cached_property
    def generators(self) -> Counter[str | None]:
        """Synthetic records by generator; None holds those that name none."""
        counted: Counter[str | None] = Counter()
        for (generator, _), count in self.makers.items():
            counted[generator] += count
        return counted

    @cached_property
    def makers(self) -> Counter[tuple[str | None, str | None]]:
        """Synthetic records by generator and family: declared in the data, else from the table of known models."""
        codes, named = self._makers
        counted: Counter[tuple[str | None, str | None]] = Counter()
        for maker, count in zip(named, np.bincount(codes, minlength=len(named)).tolist(), strict=True):
            counted[maker] += count
        return counted

    @cached_property
    def domain(self) -> np.ndarray:
        """What kind of task each record is, as a string."""
        coded = self.census.column("domain").combine_chunks().dictionary_encode()
        names = np.asarray(coded.dictionary.to_pylist(), dtype=object)
        return np.asarray(names[coded.indices.to_numpy()])

    @cached_property
    def priority(self) -> np.ndarray:
        """Which record stands for a group; low is better.

        Real before unknown before mixed before synthetic; of one origin, records that passed a check before those that
        nobody checked before those that failed one; a record before its marked repeats.
        """
        rank = {REAL: 0, UNKNOWN: 1, MIXED: 2, SYNTHETIC: 3}
        ranks = np.asarray([rank[code] for code in range(len(ORIGINS))])
        coded = self.data.column("checks").combine_chunks().dictionary_encode(null_encoding="encode")
        checked = np.asarray([standing(text) for text in coded.dictionary.to_pylist()] or [0])
        return np.asarray(2 * (3 * ranks[self.origin] + checked[coded.indices.to_numpy()]) + (self.epochs > 1))

    @cached_property
    def epochs(self) -> np.ndarray:
        """Which time each record is there by its mark (`core.epochs`); 1 where it has none."""
        coded = self.data.column("checks").combine_chunks().dictionary_encode(null_encoding="encode")
        epochs = np.asarray([epoch_of(text) for text in coded.dictionary.to_pylist()] or [1])
        return np.asarray(epochs[coded.indices.to_numpy()])

    @cached_property
    def verified(self) -> np.ndarray:
        """Global indices of synthetic records that passed a check and failed none."""
        return np.asarray(self.synthetic[self.priority[self.synthetic] % 3 == 0])

    @cached_property
    def spectrum(self) -> dict[int, int]:
        """How many word types occur how often, in all records; of many words, of a sample of the types."""
        part = PART if int(self.words.sum()) > ALL_WORDS else 1
        return tail.merged_spectrum(self._map("types", tail.sampled_words, self.data, TEXT, part=part))

    @cached_property
    def exact(self) -> ExactDuplicates:
        """Records that are equal after normalisation."""
        where = (self.spool, self.runner, self.progress)
        return of_any_size(self.data, self._digests, self.priority, where)

    @property
    def near_spec(self) -> NearSpec:
        """What the settings call near; the default where they switch it off."""
        chosen = self.settings.filters.dedup.near
        return NearSpec(chosen.ngram, chosen.threshold) if chosen else NearSpec()

    @cached_property
    def near(self) -> NearDuplicates:
        """Near-duplicates under the definition of the settings."""
        sketches = self._map("shingling", near.sketch, self.data, TEXT, spec=self.near_spec)
        self._say("comparing", 0, 0)
        found = near.join(sketches, self.near_spec, self.spool, self.priority, THREADS)
        self._say("comparing", self.n, self.n)
        return found

    @property
    def semantic_spec(self) -> SemanticSpec | None:
        """What the settings call semantic, with the encoder as it was asked for; None where no encoder is."""
        chosen = self.settings.filters.dedup.semantic
        name = chosen.encoder if chosen else self.settings.audit.encoder
        if not is_semantic(name):
            return None
        return SemanticSpec(name, chosen.threshold if chosen else semantic.THRESHOLD)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that semantic duplicates are judged by."""
        if self.semantic_spec is None:
            raise ValueError("there is no semantic encoder")
        return open_encoder(self.semantic_spec.encoder)

    @cached_property
    def vectors(self) -> Vectors:
        """One vector per record by `encoder`; mapped from a file."""
        return semantic.encode(self._encoding(), self.encoder, self.spool)

    @cached_property
    def semantic(self) -> NearDuplicates:
        """Semantic duplicates under the definition of the settings; exact and near ones are among them."""
        spec = SemanticSpec(self.encoder.name, self.semantic_spec.threshold if self.semantic_spec else 1.0)
        return semantic.join(self.vectors, spec, representatives(self._digests), self.near, self.priority)

    @cached_property
    def paraphrases(self) -> Paraphrases:
        """Records that are near a held-out item in meaning, or less near and in its words; see `dedup.reworded`."""
        if self.held_out is None:
            raise ValueError("there is no held-out set")
        items = texts_at(self.held_out.data, np.arange(self.held_out.data.rows))
        near = semantic.paraphrases(self.vectors, items, self.encoder, NEAR)
        rows, place = np.unique(near.record, return_inverse=True)
        told = reworded(near._replace(record=place), texts_at(self.data, rows), items)
        return told._replace(record=rows[told.record])

    @cached_property
    def leaks(self) -> pa.Table:
        """Personal data, secrets and hidden text: one row per place, `record` is the global index."""
        stage = Stage("privacy", self.spool, scan_leaks, columns=(*TEXT, "extra"))
        return map_located(stage, self.data.shards, self.runner, self.progress)

    @cached_property
    def contamination(self) -> pa.Table:
        """Held-out items found in records: one row per pair, `record` is the global index."""
        if self.held_out is None:
            raise ValueError("there is no held-out set")
        return contaminated(self.data, self.held_out.index, self.runner, self.spool, self.progress)

    @property
    def contaminated(self) -> Iterator[Shared]:
        """The contaminated records, in order, each with the item that it shares most with."""
        return explained(self.contamination, self.data, self.held_out.data) if self.held_out else iter(())

    @cached_property
    def copied(self) -> list[copies.Copy]:
        """Synthetic records that repeat a long run of a real one, here or in the given real data."""
        return copies.find(self.data, self.synthetic, self.labelled_real, self.real, self.spool, THREADS)

    @cached_property
    def template(self) -> templates.Templates:
        """Repeated openings and sentence skeletons among the synthetic records."""
        return templates.find(self.data, self.synthetic, THREADS)

    @cached_property
    def themes(self) -> tuple[np.ndarray, themes.Themes]:
        """The records with the distinct synthetic prompts that were looked at (global indices), and their themes."""
        rows = themes.distinct(self.data, self.synthetic)
        rows = rows[drawn(len(rows), self.settings.seed, most=themes.SAMPLE)]
        return rows, themes.find(self.data.take(rows, ("prompt",)).column(0).to_pylist())

    @cached_property
    def diversity(self) -> dict[str, Measurement]:
        """Diversity of the records not labelled real against the given real data; near-duplicates count as one unit."""
        if self.real is None:
            raise ValueError("there is no anchor")
        others = np.flatnonzero(self.origin != REAL)
        others = others if len(others) else np.arange(self.n)
        clusters = self.near.clusters().representative[others]
        chosen = drawn(len(others), self.settings.seed, clusters)
        candidate = Sample(texts_at(self.data, others[chosen]), clusters[chosen], len(others))
        real = np.flatnonzero(pc.equal(self.real.column("origin"), "real").to_numpy())
        rows = self.real.take(real[drawn(len(real), self.settings.seed)], TEXT)
        anchor = Sample(text_of(rows), near.find_near([rows], self.near_spec).clusters().representative, len(real))
        name = self.settings.audit.encoder
        encoder = open_encoder(name) if is_semantic(name) else None
        found = compare(candidate, anchor, seed=self.settings.seed, encoder=encoder)
        return {slug: self._with_whole(slug, measured) for slug, measured in found.items()}

    @cached_property
    def authors(self) -> authorship.Authors:
        """What the texts say of the records of unknown origin, of those labelled real, and of the held-out set."""
        rows = {"synthetic": self.synthetic, "unknown": self.unknown, "real": self.labelled_real}
        held_out = self.held_out.data if self.held_out else None
        return authorship.of_set(self.data, rows, self.real, held_out, self.settings.seed)

    @cached_property
    def distinct(self) -> sketch.Distinct:
        """All runs of 1 to 4 words of the records not labelled real, or of all records where all are real."""
        real = bool((self.origin == REAL).all())
        return sketch.merged(self._map("runs", sketch.sketch, self.data, (*TEXT, "origin"), real=real))

    def _with_whole(self, slug: str, measured: Measurement) -> Measurement:
        """Put distinct-k of the whole set beside the one at equal budget."""
        if not slug.startswith("distinct-") or measured.value is None:
            return measured
        whole = self.distinct.share(int(slug[-1]))
        shown = {"value": whole.value, "low": whole.low, "high": whole.high, "runs": whole.n}
        return replace(measured, detail={**measured.detail, "whole_set": shown})

    def share(self, hits: int, n: int, **detail: Any) -> Measurement:
        """A share of records: a census with a point interval, or a Wilson interval when only a sample was read."""
        if not self.sampled or n == 0:
            return Measurement.census(hits / n if n else 0.0, n, "share", **detail)
        measured = share(hits, n)
        return Measurement(measured.value, measured.low, measured.high, n, "share", detail=detail)

    def counted(self, hits: int, n: int, **detail: Any) -> Measurement:
        """A number of records: a census, or a lower bound when only a sample was read."""
        return Measurement(hits, hits, None if self.sampled else hits, n, "records", detail=detail)

    def evidence(self, indices: Sequence[int] | np.ndarray, **columns: Sequence[Any]) -> tuple[Evidence, ...]:
        """Return evidence rows for global indices, up to the limit; `columns` fill the other fields of Evidence."""
        limit = self.evidence_limit or len(indices)
        chosen = np.asarray(indices[:limit], dtype=np.int64)
        rows = self.data.take(chosen, ("id", *TEXT))
        texts = text_of(rows).to_pylist() if len(chosen) else []
        return tuple(
            Evidence(id=name, excerpt=excerpt(text), **{key: values[number] for key, values in columns.items()})
            for number, (name, text) in enumerate(zip(rows.column("id").to_pylist(), texts, strict=True))
        )

    def ids(self, indices: Sequence[int] | np.ndarray) -> list[str]:
        """Return the ids at global indices, up to the evidence limit."""
        limit = self.evidence_limit or len(indices)
        names: list[str] = self.data.take(indices[:limit], ("id",)).column("id").to_pylist()
        return names

    def made_by(self, what: str, *names: str) -> np.ndarray:
        """Return the global indices of synthetic records whose generator or family is one of `names`."""
        codes, named = self._makers
        chosen = [(family if what == "family" else generator) in names for generator, family in named]
        return np.asarray(self.synthetic[np.asarray(chosen, dtype=bool)[codes]])

    @cached_property
    def _makers(self) -> tuple[np.ndarray, list[tuple[str | None, str | None]]]:
        """For each synthetic record the number of its (generator, family), and these."""
        rows = pa.array(self.synthetic)
        columns = [self.data.column(name).combine_chunks().take(rows) for name in ("generator", "family")]
        generator, family = (column.dictionary_encode(null_encoding="encode") for column in columns)
        pairs = generator.indices.to_numpy().astype(np.int64) * len(family.dictionary) + family.indices.to_numpy()
        met, codes = np.unique(pairs, return_inverse=True)
        made_by, declared = generator.dictionary.to_pylist(), family.dictionary.to_pylist()
        named = [(made_by[code // len(declared)], declared[code % len(declared)]) for code in met.tolist()]
        return codes, [(name, known or (name and known_family(name))) for name, known in named]

    @property
    def _digests(self) -> np.ndarray:
        return np.stack([self._column("d0"), self._column("d1")], axis=1)

    def _encoding(self) -> Iterator[pa.Table]:
        """Yield the shards as they are encoded, and say how far that is."""
        for shard in self.data.shards:
            self._say("encoding", shard.first, self.n)
            yield shard.table(TEXT)
        self._say("encoding", self.n, self.n)

    def _column(self, name: str) -> np.ndarray:
        return np.asarray(self.census.column(name).to_numpy())

    def _say(self, what: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _map(
        self,
        name: str,
        kernel: Kernel,
        data: Dataset,
        columns: tuple[str, ...],
        *,
        keeps_rows: bool = False,
        **params: Any,
    ) -> Any:
        stage = Stage(name, self.spool, kernel, params, columns, keeps_rows)
        return map_shards(stage, data.shards, self.runner, self.progress)


def texts_at(data: Dataset, indices: np.ndarray) -> pa.ChunkedArray:
    """Return the training text at global indices."""
    return text_of(data.take(indices, TEXT))


def drawn(n: int, seed: int, groups: np.ndarray | None = None, most: int = COMPARED) -> np.ndarray:
    """Return at most `most` of n places, drawn without replacement by `seed`, in whole groups, in order."""
    unit = None if groups is None else units(groups, most // PIECES)
    return np.sort(draw(np.random.default_rng(seed), n, most, unit))


def excerpt(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text[: 4 * EXCERPT].split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"
