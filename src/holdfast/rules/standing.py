"""Where a record stands by the verdicts that travel with it. What they are worth is for the rules to say."""

import orjson

from holdfast.core.epochs import PREFIX

# The verdicts that `holdfast filter` leaves behind.
FILTERS = ("near-duplicate", "exact-duplicate", "semantic-duplicate", "eval-contamination", "personal-data")


def standing(checks: str | None) -> int:
    """Return 0 where a check was passed and none failed, 1 where none decided, 2 where one failed.

    What the filters look for decides nothing about a record's worth: it says only that they looked. Nor does a mark.
    """
    verdicts = orjson.loads(checks) if checks else {}
    decided = {ok for name, ok in verdicts.items() if ok is not None and not _says_nothing_of_worth(name)}
    return 2 if False in decided else 0 if decided else 1


def _says_nothing_of_worth(name: str) -> bool:
    return name in FILTERS or name.startswith(PREFIX)
