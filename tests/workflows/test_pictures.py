"""What pictures are drawn from: counts that are those of the set, caps that are said, and real losses found."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from holdfast.core.settings import load
from holdfast.report import html
from holdfast.workflows.audit import audit
from holdfast.workflows.build import build
from holdfast.workflows.init import init

TOPICS = {
    "sea": [
        "harbour",
        "sail",
        "anchor",
        "tide",
        "reef",
        "mast",
        "captain",
        "wave",
        "gull",
        "deck",
        "rope",
        "storm",
        "island",
        "current",
        "keel",
    ],
    "farm": [
        "barn",
        "wheat",
        "tractor",
        "soil",
        "cow",
        "fence",
        "hay",
        "plough",
        "orchard",
        "goat",
        "seed",
        "harvest",
        "shed",
        "field",
        "well",
    ],
    "court": [
        "judge",
        "jury",
        "appeal",
        "witness",
        "oath",
        "clerk",
        "verdict",
        "statute",
        "bench",
        "plea",
        "bail",
        "motion",
        "docket",
        "trial",
        "brief",
    ],
}


def texts(topics: list[str], count: int, rng: Random, tail: int = 400) -> list[str]:
    """Texts of twenty words, most of one topic, some rare ones."""
    return [
        " ".join(
            [*rng.choices(TOPICS[topics[n % len(topics)]], k=15), *(f"rare{rng.randrange(tail)}" for _ in range(5))]
        )
        for n in range(count)
    ]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """Real text of three topics, and a set in which one generator knows all three and another only one."""
    rng = Random(1)
    real = write(tmp_path / "real.jsonl", [{"text": text} for text in texts(list(TOPICS), 600, rng)])
    rows = [{"text": text, "generator": "all", "source": "web"} for text in texts(list(TOPICS), 150, rng)]
    rows += [{"text": text, "generator": "narrow", "source": "book"} for text in texts(["sea"], 150, rng, 20)]
    rows += [{**rows[0], "text": rows[0]["text"] + " today"}]
    return real, write(tmp_path / "data.jsonl", rows)


def test_the_map_finds_what_a_generator_does_not_reach(sets: tuple[Path, Path]) -> None:
    """Clusters of the two topics that the narrow generator never writes of are its misses; the other misses few."""
    real, data = sets
    spread = audit(data, real=real).pictures["map"]
    missed = {name: [c for c in spread["clusters"] if name in c["uncovered_by"]] for name in ("all", "narrow")}
    assert len(missed["narrow"]) > 0.4 * len(spread["clusters"])
    assert len(missed["all"]) <= 0.1 * len(spread["clusters"])
    assert [] == [c for c in missed["narrow"] if set(c["example"].split()) & set(TOPICS["sea"])]
    assert 600 == sum(c["records"]["real"] for c in spread["clusters"])


def test_the_tail_is_held_against_chance(sets: tuple[Path, Path], tmp_path: Path) -> None:
    """A set that lacks words loses more than a second real sample would; more real text as the set loses the same."""
    real, data = sets
    lossy = audit(data, real=real).pictures["tail"]
    assert lossy["mass"] > 2 * lossy["mass_by_chance"]
    rows = [{"text": text, "generator": "g"} for text in texts(list(TOPICS), 300, Random(9))]
    fair = audit(write(tmp_path / "fair.jsonl", rows), real=real).pictures["tail"]
    assert abs(fair["mass"] - fair["mass_by_chance"]) < 0.03


def test_counts_are_those_of_the_set(sets: tuple[Path, Path]) -> None:
    """Heat map and lineage count every record; the largest group of near-duplicates is the planted one."""
    _, data = sets
    parts = audit(data).pictures
    assert {"all": [151, 0], "narrow": [0, 150]} == parts["strata"]["rows"]
    assert ("source", ["web", "book"]) == (parts["strata"]["by"], parts["strata"]["columns"])
    assert [151, 150] == [maker["records"] for maker in parts["lineage"]["generators"]]
    assert (1, 2) == (parts["clusters"]["groups"], parts["clusters"]["shown"][0]["records"])


def test_without_real_text_nothing_is_held_against_it(sets: tuple[Path, Path]) -> None:
    """No anchor, no map and no tail: a picture is never drawn from a guess."""
    assert set() == {"map", "tail"} & set(audit(sets[1]).pictures)


def test_a_build_adds_its_funnel_and_its_page_is_drawn_from_its_json(tmp_path: Path) -> None:
    """The funnel ends in the synthetic records of the set, and report.html is report.json rendered."""
    init(tmp_path / "demo")
    done = build(load(tmp_path / "demo" / "holdfast.yaml"), tmp_path / "run")
    told = json.loads((tmp_path / "run" / "report.json").read_text())
    rows = told["pictures"]["funnel"]["rows"].values()
    assert done.manifest["made_of"]["synthetic"] == sum(row[-1] for row in rows)
    assert done.manifest["steps"]["generate"]["counts"]["in"] == sum(row[0] for row in rows)
    assert [] == [row for row in rows if sorted(row, reverse=True) != row]
    assert (tmp_path / "run" / "report.html").read_text() == html.render(told)
    assert (tmp_path / "run" / "report.json").stat().st_size < 300_000
