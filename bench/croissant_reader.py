"""The readers of bench.croissant, run by the interpreter of an environment that has them; imports nothing of Holdfast.

python bench/croissant_reader.py FOLDER
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import mlcroissant
from huggingface_hub import DatasetCard


def croissant(folder: Path) -> dict[str, Any]:
    """Validate croissant.json, load all records by it, and count those whose nested column names their origin."""
    found = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    rows = list(found.records("records"))
    # Of a CSV the nested column is text.
    nested = [own for row in rows if isinstance(own := row.get("records/holdfast"), dict)]
    named = sum(bool(own["records/holdfast/origin"]) for own in nested)
    issues = found.metadata.ctx.issues
    agents = found.metadata.to_json().get("prov:wasAttributedTo", [])
    return {
        "errors": sorted(issues.errors),
        "warnings": sorted(issues.warnings),
        "records": len(rows),
        "with_origin": named,
        "agents": len(agents if isinstance(agents, list) else [agents]),
    }


def card(folder: Path) -> dict[str, Any]:
    """Read the front matter as the hub's library does."""
    data = DatasetCard.load(folder / "README.md").data
    return {"license": data.license, "tags": data.tags, "size_categories": data.size_categories}


def loaded(folder: Path) -> int:
    """Return the rows that `datasets` finds in the split that the card names."""
    return len(datasets.load_dataset(str(folder), split="train", cache_dir=str(folder.parent / "cache")))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    names = ("mlcroissant", "huggingface_hub", "datasets")
    told = {"versions": {name: version(name) for name in names}, "croissant": croissant(place), "card": card(place)}
    print(json.dumps({**told, "rows": loaded(place)}))
