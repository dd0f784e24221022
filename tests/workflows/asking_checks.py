"""Checks of the tests that ask models, importable wherever they run."""

from holdfast import Record, Verdict


def any_text(record: Record) -> Verdict:
    """Accept every response that says something."""
    return Verdict(bool(record.response.strip()))


def strict(record: Record) -> Verdict:
    """Refuse every second response, by its length."""
    return Verdict(len(record.prompt) % 2 == 0, "odd")
