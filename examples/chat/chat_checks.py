"""Two checks of chat records: the sentences are whole, and the tone is the one that was asked for."""

from holdfast import Record, Verdict

FEWEST_WORDS = 3  # of a prompt and of a response; fewer say nothing


def whole(record: Record) -> Verdict:
    """Accept records whose prompt and response have some words each, end as sentences do and do not begin in one."""
    for text in (record.prompt, record.response):
        if len(text.split()) < FEWEST_WORDS:
            return Verdict(False, "too-short")
        if not text[0].isalnum():
            return Verdict(False, "begins-in-a-sentence")
        if text[-1] not in ".?!":
            return Verdict(False, "breaks-off")
    return Verdict(True)


def in_tone(record: Record) -> Verdict:
    """Accept friendly records that open with "Sure!" and plain ones that do not; others cannot be judged."""
    tone = (record.provenance.cell or {}).get("tone")
    if tone not in ("plain", "friendly"):
        return Verdict(None, "no-tone")
    right = record.response.startswith("Sure!") == (tone == "friendly")
    return Verdict(right, "" if right else "other-tone")
