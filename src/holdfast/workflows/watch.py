"""Watch a run: one check per step of a log, each held against the start, and one verdict.

Reads a metric log, records with a step column, or the outputs of a deployed model in windows. It judges a trend and
not a level: text unlike real text from the first step on is `holdfast audit --real`'s to say.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path

from holdfast.core.dataset import text_of
from holdfast.core.errors import InputError, UsageError
from holdfast.core.reader import read
from holdfast.core.scratch import scratch
from holdfast.stats.alarm import AlarmOptions, Check
from holdfast.workflows.monitor import Monitor, Reading, Watched
from holdfast.workflows.watch_log import (
    TEXT,
    Columns,
    chosen,
    followed,
    metric_readings,
    metric_rows,
    record_readings,
    record_rows,
)

OnCheck = Callable[[Check], None]


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a log is read and judged.

    `text` or `window` make it a file of records; without both it is a metric log. `first` is the step that later ones
    are held against, by default the first in the file. `follow` waits for more, `idle` seconds at most (0: for ever),
    and ends at the first alarm. `on_check` is called after every check.
    """

    step: str = "step"
    text: str = ""
    decoding: str = ""
    window: int = 0
    first: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    anchor: Path | None = None
    ood: Path | None = None
    id: Path | None = None
    follow: bool = False
    idle: float = 0.0
    seed: int = 0
    alarm: AlarmOptions = field(default_factory=AlarmOptions)
    on_check: OnCheck | None = None


def watch(file: str | Path, options: WatchOptions = WatchOptions()) -> Watched:
    """Return the checks of every step of a log and the verdict. Writes nothing.

    Raises InputError for a file that cannot be read or holds no step, UsageError for columns that are not there.
    """
    path = Path(file)
    real, ood, like = (_texts(given) for given in (options.anchor, options.ood, options.id))
    monitor = Monitor(real, ood, like, options.alarm, options.seed)
    for reading in _from(_readings(path, options), options.first):
        check = monitor.observe(reading)
        if options.on_check is not None:
            options.on_check(check)
        if options.follow and check.alarms:
            break
    if not monitor.result.checks:
        wanted = f" from step {options.first} on" if options.first else ""
        raise InputError(f"{path} has no step to check{wanted}.", "Check --where, --from, --window and the file.")
    return monitor.result


def _readings(path: Path, options: WatchOptions) -> Iterator[Reading]:
    """Choose how the file is read."""
    if options.window < 0:
        raise UsageError(f"--window {options.window} is no number of records.", "Give 200 or more.")
    if not options.follow and not path.is_file():
        raise InputError(f"There is no file {path}.", "Give a metric log or a file of records.")
    of_records = bool(options.text or options.window)
    if options.decoding and not of_records:
        raise UsageError(
            "--decoding names a column of records.", "A metric log has the key 'decoding', or give --text."
        )
    if options.follow:
        if of_records and not options.text:
            raise UsageError("--follow needs to know where the text is.", "Name it with --text COLUMN.")
        rows = followed(path, options.idle)
    else:
        rows = record_rows(path, options.text) if of_records else metric_rows(path)
    rows = chosen(rows, options.where)
    if not of_records:
        return metric_readings(rows, options.step)
    text = options.text if options.follow else TEXT
    return record_readings(rows, Columns(options.step, text, options.decoding, options.window), options.seed)


def _from(readings: Iterator[Reading], first: str) -> Iterator[Reading]:
    """Leave out what lies before the step to start from."""
    return dropwhile(lambda reading: str(reading.step) != first, readings) if first else readings


def _texts(path: Path | None) -> list[str]:
    """Return the texts of a file of real text; none for no file."""
    if path is None:
        return []
    with scratch() as folder:
        texts = [str(text) for table in read([path], spool=folder).tables() for text in text_of(table).to_pylist()]
    if not texts:
        raise InputError(f"{path} holds no text.", "Give a file of real text.")
    return texts
