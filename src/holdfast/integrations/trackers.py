"""Where a watched run is written: one protocol of three methods, and what fulfils it.

`tracker("tensorboard:runs/a")` opens one by name; `Wandb(run)` and the like take an object that is open already. All
but the own JSONL need an extra. W&B sends what it gets to its service: that is the user's choice, made by naming it.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from holdfast.core.errors import MissingExtraError, UsageError, nearest

Values = Mapping[str, float]


class Tracker(Protocol):
    """What a watched run is written to. Names of values have the form holdfast/diversity/evidence."""

    def log(self, step: int, values: Values) -> None:
        """Record numbers of a step."""

    def alarm(self, step: int, text: str) -> None:
        """Record that a step alarmed, and why."""

    def close(self) -> None:
        """Write what is still held back; nothing is recorded afterwards."""


class Jsonl:
    """A log of our own, one object per line, on the disk line by line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def log(self, step: int, values: Values) -> None:
        """Append {step, values}."""
        self._write({"step": step, **values})

    def alarm(self, step: int, text: str) -> None:
        """Append {step, alarm}."""
        self._write({"step": step, "alarm": text})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(f"{json.dumps(entry)}\n")
        self._file.flush()


class TensorBoard:
    """An event file in a folder, written by the package tensorboard itself: neither torch nor TensorFlow is needed."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def log(self, step: int, values: Values) -> None:
        """Add scalars."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def alarm(self, step: int, text: str) -> None:  # noqa: ARG002  # scalars only: the text is in the own log
        """Add the scalar holdfast/alarm = 1."""
        self._writer.add_scalar("holdfast/alarm", 1.0, step)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()


class Wandb:
    """A W&B run. Values go on the run's own step axis, and holdfast/step has ours: W&B drops steps that go back."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Values) -> None:
        """Log values."""
        self._run.log({"holdfast/step": step, **values})

    def alarm(self, step: int, text: str) -> None:
        """Send an alert and mark the run's summary."""
        self._run.summary["holdfast/alarm"] = f"step {step}: {text}"
        self._run.alert(title=f"Holdfast: alarm at step {step}", text=text)

    def close(self) -> None:
        """Leave the run open: whoever opened it finishes it."""


class Mlflow:
    """An MLflow run: the module mlflow, or anything with its functions."""

    def __init__(self, mlflow: Any) -> None:
        self._mlflow = mlflow

    def log(self, step: int, values: Values) -> None:
        """Log metrics; MLflow allows slashes in names."""
        self._mlflow.log_metrics(dict(values), step=step)

    def alarm(self, step: int, text: str) -> None:
        """Set the tag holdfast.alarm."""
        self._mlflow.set_tag("holdfast.alarm", f"step {step}: {text}")

    def close(self) -> None:
        """Leave the run open: whoever opened it ends it."""


class Trackio:
    """A trackio run. The alarm is logged as holdfast/alarm = 1."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, step: int, values: Values) -> None:
        """Log values with our step beside them."""
        self._run.log({"holdfast/step": step, **values})

    def alarm(self, step: int, text: str) -> None:  # noqa: ARG002  # numbers only: the text is in the own log
        """Log holdfast/alarm = 1."""
        self._run.log({"holdfast/step": step, "holdfast/alarm": 1.0})

    def close(self) -> None:
        """Leave the run open: whoever opened it finishes it."""


def _jsonl(where: str) -> Tracker:
    return Jsonl(Path(where or "holdfast.jsonl"))


def _tensorboard(where: str) -> Tracker:
    try:
        from tensorboard.summary import Writer  # noqa: PLC0415  # optional extra [tensorboard]
    except ImportError as error:
        raise MissingExtraError("tensorboard", "tensorboard") from error
    return TensorBoard(Writer(where or "runs/holdfast"))


def _wandb(where: str) -> Tracker:
    try:
        import wandb  # noqa: PLC0415  # optional extra [wandb]
    except ImportError as error:
        raise MissingExtraError("wandb", "wandb") from error
    return Wandb(wandb.run or wandb.init(project=where or None))


def _mlflow(where: str) -> Tracker:
    try:
        import mlflow  # noqa: PLC0415  # optional extra [mlflow]
    except ImportError as error:
        raise MissingExtraError("mlflow", "mlflow") from error
    if where:
        mlflow.set_experiment(where)
    return Mlflow(mlflow)


def _trackio(where: str) -> Tracker:
    try:
        import trackio  # noqa: PLC0415  # optional extra [trackio]
    except ImportError as error:
        raise MissingExtraError("trackio", "trackio") from error
    return Trackio(trackio.init(project=where or "holdfast"))


OPEN: Mapping[str, Callable[[str], Tracker]] = {
    "jsonl": _jsonl,
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "mlflow": _mlflow,
    "trackio": _trackio,
}


def tracker(name: str) -> Tracker:
    """Open a tracker by name: jsonl:FILE, tensorboard:FOLDER, wandb:PROJECT, mlflow:EXPERIMENT, trackio:PROJECT.

    Raises UsageError for another name and MissingExtraError where its package is not installed.
    """
    kind, _, where = name.partition(":")
    if kind not in OPEN:
        raise UsageError(f"There is no tracker {kind!r}.", nearest(kind, OPEN))
    return OPEN[kind](where)
