"""Remove duplicates, held-out text and personal data. Nothing is deleted: rejected records keep their reason.

Without --dedup both exact and near-duplicates are removed. With --labels people decide, with -c the judge of the
settings does as far as it agrees with them.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli import screen
from holdfast.cli.judge_lines import judge_lines
from holdfast.cli.options import Files, Json, Mapping, Out, SettingsFile, Where, mapping
from holdfast.core.errors import UsageError
from holdfast.core.runners import runner_of
from holdfast.core.settings import Dedup, Filters, Near, Novelty, Semantic, Settings, load
from holdfast.workflows.filter import FilterOptions, filter_files


class Kind(StrEnum):
    """Which repetition is removed; near includes exact, semantic includes both."""

    exact = "exact"
    near = "near"
    semantic = "semantic"
    none = "none"


class Ngram(StrEnum):
    """What near-duplicates are compared by."""

    word3 = "word3"
    word5 = "word5"
    char5 = "char5"
    symbol3 = "symbol3"


class Privacy(StrEnum):
    """What happens to personal data and secrets."""

    redact = "redact"
    reject = "reject"
    off = "off"


@dataclass(frozen=True)
class Options:
    """The command line of `holdfast filter`."""

    files: Files
    out: Out = Path("filtered")
    dedup: Annotated[Kind, typer.Option(help="Which repetition to remove; semantic includes near, near exact.")] = (
        Kind.near
    )
    ngram: Annotated[Ngram, typer.Option(help="What near-duplicates are compared by.")] = Ngram.word3
    threshold: Annotated[
        float | None,
        typer.Option(min=0.5, max=1, metavar="SHARE", help="Lowest similarity: Jaccard 0.5, or cosine 0.9."),
    ] = None
    encoder: Annotated[str, typer.Option(metavar="NAME", help="What semantic duplicates are compared by.")] = "minilm"
    eval: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Held-out file or sealed folder to keep out.")
    ] = None
    real: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Real data to measure the diversity bill against.")
    ] = None
    novelty: Annotated[
        float, typer.Option(min=0, max=1, metavar="SCORE", help="Lowest novelty of a record; 0 rejects none.")
    ] = 0.0
    against: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="What is covered already, for --novelty.")
    ] = None
    privacy: Annotated[Privacy, typer.Option(help="What happens to personal data and secrets.")] = Privacy.off
    labels: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What people said (holdfast review): no rejects, yes keeps."),
    ] = None
    settings: SettingsFile = None
    map: Mapping = None
    json: Json = False
    runner: Where = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False


def run(given: Options) -> int:
    """Filter and say what became of the records; exit 1 when none is left."""
    _refuse_idle(given)
    dedup = _dedup(given)
    novelty = Novelty(least=given.novelty, against=tuple(given.against or ())) if given.novelty else None
    filters = Filters(dedup=dedup, novelty=novelty, privacy=given.privacy.value)
    settings = _judged(given)
    columns, labels = mapping(given.map), given.labels or ()
    with screen.progress(quiet=given.quiet) as progress:
        seen = (given.eval or (), given.real or (), columns)
        runner = runner_of(given.runner or (settings.runner if settings else "local"))
        options = FilterOptions(filters, *seen, settings=settings, labels=labels, runner=runner, progress=progress)
        manifest = filter_files(given.files, given.out, options)
    screen.done(manifest, given.out, as_json=given.json)
    if not given.json:
        for line in [*judge_lines(manifest.more.get("judging", {})), *screen.bill_lines(manifest.more["bill"])]:
            screen.result(line)
    return 0 if manifest.counts.kept else 1


def _judged(given: Options) -> Settings | None:
    """Return the settings with their judge. Raises `UsageError` for settings without one: they would do nothing."""
    if given.settings is None:
        return None
    settings = load(given.settings)
    if settings.filters.judge is None:
        what = f"{given.settings} names no judge, and of the settings filter takes nothing else."
        raise UsageError(what, "Add filters: {judge: {model: NAME, rubric: FILE}}, or leave -c out.")
    return settings


def _refuse_idle(given: Options) -> None:
    """Raise `UsageError` for an option that would do nothing, so that nobody believes it did."""
    if given.against and not given.novelty:
        raise UsageError("--against names what is covered, and nothing asks for it.", "Add --novelty SCORE.")
    if given.threshold is not None and given.dedup in (Kind.exact, Kind.none):
        raise UsageError(f"--threshold means nothing with --dedup {given.dedup}.", "Add --dedup near or semantic.")


def _dedup(given: Options) -> Dedup:
    """Return what is removed; a threshold is that of the widest definition asked for."""
    threshold = {} if given.threshold is None else {"threshold": given.threshold}
    near, semantic = None, None
    if given.dedup is Kind.semantic:
        near, semantic = Near(ngram=given.ngram.value), Semantic(encoder=given.encoder, **threshold)
    elif given.dedup is Kind.near:
        near = Near(ngram=given.ngram.value, **threshold)
    return Dedup(exact=given.dedup is not Kind.none, near=near, semantic=semantic)
