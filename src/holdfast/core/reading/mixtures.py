"""The mixture settings of other tools: which data sets they train on, where these lie, how much each is drawn.

Known are LLaMA-Factory (its training YAML, or dataset_info.json, whose entries are then taken together), open-instruct
(`dataset_mixer_list`, `dataset_mixer`), Oumi (`data.train.datasets`) and axolotl (`datasets`, each with a `path`).
Only what lies on this machine is found; nothing is fetched. A relative path is looked for where the tool would, from
the folder it is started in, and then beside the file.

Formats as their sources state them: hiyouga/LLaMA-Factory data/README.md and data_args.py (file_name, num_samples,
mix_strategy, interleave_probs, max_samples); allenai/open-instruct dataset_transformation.py (a number with a point is
a share, one without a count); oumi data_params.py (sample_count, mixture_proportion, mixture_strategy); axolotl
docs/config (path, data_files, shards, type).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import orjson

from holdfast.core.errors import UsageError
from holdfast.core.yamlfile import parse

NAME = "dataset_info.json"
# Entries of dataset_info.json that say where a data set is; those of a `datasets` folder of that name have none.
PLACES = ("file_name", "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")
# Loaders of `datasets` that axolotl takes as `path`; the files are in `data_files`.
LOADERS = ("json", "csv", "parquet", "arrow", "text")


@dataclass(frozen=True, slots=True)
class Source:
    """One data set of a mixture. `paths` are empty where it is not on this machine.

    Of its records `count`, or else the share `fraction`, take part; above all of them they are repeated. `weight` is
    its part of the mixture where the tool draws by weights. `mapping` names columns as `--map` does.
    """

    name: str
    paths: tuple[Path, ...] = ()
    fraction: float = 1.0
    count: int | None = None
    weight: float | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)

    def drawn(self, records: int) -> int:
        """Return how many of so many records take part, before weights."""
        return self.count if self.count is not None else int(self.fraction * records)


@dataclass(frozen=True, slots=True)
class Mixture:
    """The data sets that a tool mixes. Drawn by weights it ends with the `first` exhausted source or with `all`."""

    tool: str
    sources: tuple[Source, ...]
    ends: Literal["first", "all"] = "first"

    def sizes(self, records: Sequence[int]) -> list[float]:
        """Return how many records of each source are trained on, given how many each has; more than it has repeat."""
        drawn = [source.drawn(have) for source, have in zip(self.sources, records, strict=True)]
        if any(source.weight is None for source in self.sources):
            return [float(one) for one in drawn]
        weighted = [(have, source.weight or 0.0) for have, source in zip(drawn, self.sources, strict=True)]
        rounds = [have / weight for have, weight in weighted if weight > 0]
        whole = (min(rounds) if self.ends == "first" else max(rounds)) if rounds else 0.0
        return [weight * whole for _, weight in weighted]


def mixture_of(path: Path) -> Mixture | None:
    """Return the mixture that a settings file of another tool describes; None where it is no such file.

    Raises `UsageError` where it is one and a value in it cannot be meant.
    """
    if path.name == NAME and path.is_file():
        return _registry(path)
    if path.suffix.lower() not in {".yaml", ".yml"} or not path.is_file():
        return None
    values = parse(path)[1]
    data = values.get("data")
    train = data.get("train") if isinstance(data, dict) else None
    try:
        if "dataset_mixer_list" in values or "dataset_mixer" in values:
            return Mixture("open-instruct", tuple(_open_instruct(values, path.parent)))
        if isinstance(train, dict) and isinstance(train.get("datasets"), list):
            return _oumi(train, path.parent)
        if isinstance(values.get("datasets"), list):
            return Mixture("axolotl", tuple(_axolotl(values["datasets"], path.parent)))
        return _llama_factory(values, path.parent) if isinstance(values.get("dataset"), str | list) else None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise UsageError(f"{path}: the mixture in it cannot be read: {error}.", "Name its files instead.") from error


def _registry(path: Path) -> Mixture | None:
    try:
        entries = orjson.loads(path.read_bytes())
    except ValueError:
        return None
    if not isinstance(entries, dict) or not entries or not all(_is_entry(entry) for entry in entries.values()):
        return None
    return Mixture("LLaMA-Factory", tuple(_registered(name, entries, path.parent) for name in entries))


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and any(name in entry for name in PLACES)


def _registered(name: str, entries: Mapping[str, Any], folder: Path) -> Source:
    """An entry of dataset_info.json; a hub's address goes before the file, as the tool has it."""
    entry = entries.get(name)
    if not isinstance(entry, dict):
        return Source(f"{name} (not in {folder / NAME})")
    hub = next((str(entry[place]) for place in PLACES[1:] if entry.get(place)), None)
    if hub:
        return Source(hub)
    columns = entry.get("columns") or {}
    # The instruction is the prompt; its input stands in a column of its own, and is looked at as further text.
    fields = {"prompt": "prompt", "query": "extra", "response": "response", "messages": "messages"}
    mapping = {fields[key]: str(column) for key, column in columns.items() if key in fields and column}
    if {"prompt", "response"} - set(mapping):
        mapping = {key: column for key, column in mapping.items() if key == "messages"}
    count = entry.get("num_samples")
    return Source(name, (folder / entry["file_name"],), count=count and int(count), mapping=mapping)


def _llama_factory(values: Mapping[str, Any], folder: Path) -> Mixture:
    place = str(values.get("dataset_dir", "data"))
    info = next(iter(_local(place, folder)), Path(place)) / NAME
    entries = orjson.loads(info.read_bytes()) if info.is_file() else {}
    sources = [_registered(name, entries, info.parent) for name in _words(values["dataset"])]
    if most := values.get("max_samples"):
        sources = [replace(one, count=min(one.count or int(most), int(most))) for one in sources]
    strategy = values.get("mix_strategy", "concat")
    if strategy == "concat":
        return Mixture("LLaMA-Factory", tuple(sources))
    weights = [float(word) for word in _words(values.get("interleave_probs") or [1 / len(sources)] * len(sources))]
    weighed = tuple(replace(one, weight=weight) for one, weight in zip(sources, weights, strict=True))
    return Mixture("LLaMA-Factory", weighed, "all" if strategy == "interleave_over" else "first")


def _open_instruct(values: Mapping[str, Any], folder: Path) -> Iterator[Source]:
    given = values.get("dataset_mixer_list") or values["dataset_mixer"]
    flat = [word for pair in given.items() for word in pair] if isinstance(given, dict) else _words(given)
    if len(flat) % 2:
        raise ValueError(f"dataset_mixer_list has {len(flat)} entries, and they are pairs")
    for name, amount in zip(flat[::2], flat[1::2], strict=True):
        part = Source(str(name), _local(str(name), folder))
        share = "." in str(amount)
        yield replace(part, fraction=float(amount)) if share else replace(part, count=int(amount))


def _oumi(train: Mapping[str, Any], folder: Path) -> Mixture:
    sources = []
    for entry in train["datasets"]:
        place = entry.get("dataset_path") or (entry.get("dataset_kwargs") or {}).get("dataset_path")
        name = str(place or entry["dataset_name"])
        count, weight = entry.get("sample_count"), entry.get("mixture_proportion")
        weight = None if weight is None else float(weight)
        sources.append(Source(name, _local(name, folder), count=None if count is None else int(count), weight=weight))
    last = str(train.get("mixture_strategy", "first_exhausted")).lower() == "all_exhausted"
    return Mixture("Oumi", tuple(sources), "all" if last else "first")


def _axolotl(entries: Sequence[Mapping[str, Any]], folder: Path) -> Iterator[Source]:
    for entry in entries:
        name, files = str(entry["path"]), [str(word) for word in _words(entry.get("data_files") or [])]
        paths = _local(name, folder)
        if files:
            # Files of a folder that is here, or of a loader; of a hub's data set they are not here.
            base = paths[0] if paths and paths[0].is_dir() else folder
            found = [_local(file, base) for file in files] if paths or name in LOADERS else [()]
            paths = tuple(path for each in found for path in each) if all(found) else ()
        kind = entry.get("type")
        custom = kind if isinstance(kind, dict) else {}
        named = {"prompt": custom.get("field_instruction"), "response": custom.get("field_output")}
        named = named if all(named.values()) else {}
        named |= {"extra": custom.get("field_input")} if named else {"messages": entry.get("field_messages")}
        mapping = {key: str(column) for key, column in named.items() if column}
        yield Source(", ".join(files) or name, paths, fraction=1 / int(entry.get("shards") or 1), mapping=mapping)


def _words(value: Any) -> list[Any]:
    """A list as it is, or a text with commas or spaces as one."""
    return list(value) if isinstance(value, list) else str(value).replace(",", " ").split()


def _local(name: str, folder: Path) -> tuple[Path, ...]:
    """The path of that name, from here or from beside the settings; none where there is neither."""
    found = next((path for path in (Path(name).expanduser(), folder / name) if path.exists()), None)
    return (found,) if found is not None else ()
