"""Which generators, judges, checks and tools stand behind a data set, each with its version: its list of parts.

Generators and checks are counted in the records themselves, so that the list is that of what is in the set and not of
what was meant to be. Of a check the version is that of Holdfast; the libraries it rests on are tools of their own.
"""

from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from holdfast import __version__
from holdfast.core.dataset import Dataset
from holdfast.core.settings import Settings
from holdfast.models.kinship import Kin

# The libraries whose version changes what a check says of a record.
LIBRARIES = {"math": ("math-verify",), "schema": ("jsonschema",), "translation": ("py3langid", "sacrebleu")}
COLUMNS = ("generator", "family", "revision", "checks")


def parts_of(data: Dataset, kept: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return the parts behind the records at `kept`: role, name, version, family, and how many records each has.

    `records` of a check are those that passed it; a tool has None.
    """
    made: Counter[tuple[str, str, str]] = Counter()
    passed: Counter[str] = Counter()
    wanted = np.zeros(data.rows, np.bool_)
    wanted[kept] = True
    for shard in data.shards:
        table = shard.table(COLUMNS).filter(pa.array(wanted[shard.first : shard.first + shard.rows]))
        # Few values stand in many rows: what is read row by row is the groups.
        for row in table.group_by(list(COLUMNS)).aggregate([([], "count_all")]).to_pylist():
            if row["generator"]:
                made[row["generator"], row["family"] or "", row["revision"] or ""] += row["count_all"]
            checks = orjson.loads(row["checks"] or "{}")
            passed.update({name: row["count_all"] for name, ok in checks.items() if ok})
    generators = [_generator(*key, records) for key, records in sorted(made.items())]
    checks = [_part("check", name, __version__, records=records) for name, records in sorted(passed.items())]
    return [*generators, *checks, *_tools(passed)]


def judges_of(settings: Settings) -> list[dict[str, Any]]:
    """Return the models that judge by these settings, as parts; none where no model does."""
    judge = settings.filters.judge
    models = {name: settings.models[name] for name in judge.models} if judge else {}
    return [
        _part("judge", name, model.model, family=Kin(model.model, model.family).family or "")
        for name, model in models.items()
    ]


def _generator(name: str, family: str, revision: str, records: int) -> dict[str, Any]:
    plain, _, written = name.partition("@")
    return _part("generator", plain, revision or written, family=family, records=records)


def _tools(passed: Counter[str]) -> list[dict[str, Any]]:
    tools = [_part("tool", "holdfast", __version__)]
    for library in sorted({one for name in passed for one in LIBRARIES.get(name, ())}):
        try:
            tools.append(_part("tool", library, version(library)))
        except PackageNotFoundError:
            continue  # The records were checked elsewhere; with which version is not known here.
    return tools


def _part(role: str, name: str, release: str, *, family: str = "", records: int | None = None) -> dict[str, Any]:
    return {"role": role, "name": name, "version": release, "family": family, "records": records}
