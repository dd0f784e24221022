"""How large the largest theme of real prompts is: what the threshold of the rule theme-concentration rests on.

    python -m bench.themes

Prints a table and writes bench/results/themes.json.
"""

import json
from pathlib import Path
from random import Random

from bench.held_out import rows_of, text_of
from holdfast.dedup.themes import SAMPLE, find

RESULT = Path(__file__).resolve().parent / "results" / "themes.json"
SEED = 7
PROMPTS = {
    "instruct/gsm8k_train": ("question",),
    "instruct/nq_open_dev": ("question",),
    "instruct/oasst_subset": ("prompt",),
    "instruct/seed_tasks": ("instruction",),
    "multigen/pandalm_human_pairs": ("instruction",),
    "multigen/self_instruct_8systems": ("instruction",),
    "verify/ifeval_en_17models": ("prompt",),
    "verify/mbpp_ref_and_mutants": ("text",),
    "verify/humanevalpack_python": ("prompt",),
    "text/gutenberg": ("text",),
    "text/movie_reviews": ("text",),
    "text/state_union": ("text",),
    "text/wiki_abstracts": ("text",),
}


def main() -> None:
    """Measure, print and keep."""
    table = {name: measured(name) for name in PROMPTS}
    for name, row in table.items():
        print(name, *row.values(), sep=" | ")
    RESULT.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


def measured(name: str) -> dict[str, object]:
    """Return the largest themes of the distinct prompts of a file."""
    prompts = list(dict.fromkeys(text_of(row, PROMPTS[name]) for row in rows_of(name)))
    found = find(Random(SEED).sample(prompts, min(SAMPLE, len(prompts))))
    return {
        "prompts": found.prompts,
        "english": round(found.english, 2),
        "largest": round(found.largest / found.prompts, 3),
        "effective_themes": round(found.effective, 1),
        "themes": [" ".join(theme.words) for theme in found.themes[:3]],
    }


if __name__ == "__main__":
    main()
