"""Records in which every heavy verb finds something: sums to check, repeats, personal data, held-out questions."""

import json
from pathlib import Path
from random import Random

WORDS = [
    "river", "stone", "lantern", "winter", "copper", "garden", "signal", "harbour", "meadow", "violet",
    "engine", "basket", "orchard", "thunder", "ribbon", "cellar", "falcon", "amber", "timber", "canyon",
    "marble", "willow", "saddle", "anchor", "copse", "quarry", "beacon", "saffron", "kettle", "plough",
]  # fmt: skip


def write(folder: Path, count: int) -> dict[str, Path]:
    """Write data.jsonl, real.jsonl and held.jsonl; return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    held = [_row(Random(f"held{number}"), f"h{number}") for number in range(50)]
    rows = [_row(Random(f"row{number}"), f"r{number}") for number in range(count)]
    random = Random(7)
    for row in random.sample(rows, count // 20):
        other = random.choice(rows)
        row |= {name: other[name] for name in ("question", "answer", "gold")}
    for row in random.sample(rows, count // 20):
        words = random.choice(rows)["answer"].split()
        words[random.randrange(10)] = "altered"
        row["answer"] = " ".join(words)
    for row, leak in zip(random.sample(rows, 20), held, strict=False):
        row["question"] = leak["question"]
    for row in random.sample(rows, 20):
        row["answer"] += f" Write to {random.choice(WORDS)}@example.org"
    for number, row in enumerate(rows):
        row |= {"origin": "synthetic", "generator": ("alpha", "beta")[number % 2]}
    real = [_row(Random(f"real{number}"), f"q{number}") for number in range(count)]
    written = {}
    for name, lines in (("data", rows), ("real", real), ("held", held)):
        written[name] = folder / f"{name}.jsonl"
        written[name].write_text("".join(json.dumps(line) + "\n" for line in lines))
    return written


def _row(random: Random, name: str) -> dict[str, str]:
    one, other = random.randrange(100, 999), random.randrange(100, 999)
    said = one * other + (random.random() < 0.2)
    story = " ".join(random.choice(WORDS) for _ in range(20))
    asked = " ".join(random.choice(WORDS) for _ in range(15))
    question = f"After the {asked}, what is {one} * {other}?"
    return {"id": name, "question": question, "answer": f"{story}\n#### {said}", "gold": str(one * other)}
