"""All laws of collapse at full size, kept: what `holdfast lab --verify-laws` checks at a smaller one.

python -m bench.laws
"""

import json
from pathlib import Path
from time import process_time

from holdfast.lab.laws import table, verify

RESULT = Path(__file__).resolve().parent / "results" / "laws.json"


def main() -> None:
    """Check, print and keep."""
    begin = process_time()
    checked = verify(full=True)
    for line in table(checked):
        print(line)
    held = sum(one.ok for one in checked)
    kept = {
        "laws": len(checked),
        "hold": held,
        "cpu_seconds": round(process_time() - begin),
        "checked": [one.to_dict() for one in checked],
    }
    RESULT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
