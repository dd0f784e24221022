"""explain: the page of a rule, and the list of all rules."""

import orjson

from holdfast.rules.catalogue import SLUGS, module, page


def explain(slug: str, *, as_json: bool = False) -> str:
    """Return the page of one rule as Markdown, or as JSON with slug, severity, source and page."""
    text = page(slug)
    rule = module(slug)
    return _json({"rule": slug, "severity": rule.SEVERITY, "source": rule.SOURCE, "page": text}) if as_json else text


def summary(*, as_json: bool = False) -> str:
    """Return one line per rule: slug, when it fires, and what it is."""
    rows = [(slug, module(slug).SEVERITY, _title(slug)) for slug in SLUGS]
    if as_json:
        return _json([{"rule": slug, "severity": severity, "title": title} for slug, severity, title in rows])
    return "\n".join(f"{slug:<25} {title}\n{'':<25}   {severity}" for slug, severity, title in rows)


def _title(slug: str) -> str:
    return (module(slug).__doc__ or "").partition("\n")[0].partition(": ")[2]


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
