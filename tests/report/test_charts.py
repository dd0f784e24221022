"""The pictures: drawn from data, absent without, right in their numbers, and never a crash on odd details."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.report import charts, diff
from tests.report.samples import bare, full

_ODD = st.recursive(
    st.one_of(st.none(), st.text(max_size=4), st.integers(-5, 5), st.floats(-2, 2), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=5,
)
_NEEDS = {
    "What it is made of": ["synthetic-ratio", "synthetic-ratio-tokens"],
    "diversity measures": ["anchor-diversity", "tail-coverage", "distinct-1", "distinct-2"],
    "How much repeats": ["near-duplicates"],
    "qwen3-8b wrote": ["generator-concentration"],
    "qwen wrote": ["family-concentration"],
    "Resampled ten times": ["synthetic-ratio"],
    "How long": ["synthetic-ratio-tokens"],
}


def _full() -> dict[str, Any]:
    measurements: dict[str, Any] = full().to_dict()["measurements"]
    return measurements


def _parts() -> dict[str, Any]:
    parts: dict[str, Any] = full().to_dict()["pictures"]
    return parts


def test_the_full_report_has_every_picture() -> None:
    """Seventeen pictures, each with a drawing, a caption and a table of data as wide as its header."""
    drawn = charts.pictures(_full(), _parts())
    assert 17 == len(drawn)
    for picture in drawn:
        assert picture.markup.startswith(("<svg", "<div"))
        assert picture.caption
        assert picture.rows
        assert {len(picture.header)} == {len(row) for row in picture.rows}


@pytest.mark.parametrize("part", sorted(full().pictures))
def test_a_picture_without_its_part_is_left_out(part: str) -> None:
    """Taking away one part of `pictures` takes away exactly one picture."""
    parts = _parts()
    before = [picture.title for picture in charts.pictures(_full(), parts)]
    del parts[part]
    after = [picture.title for picture in charts.pictures(_full(), parts)]
    assert len(before) - 1 == len(after)


@given(st.data())
def test_odd_parts_never_break_a_picture(data: st.DataObject) -> None:
    """A report from elsewhere may hold anything under `pictures`: the page is still made."""
    parts = _parts()
    name = data.draw(st.sampled_from(sorted(parts)))
    part = parts[name]
    key = data.draw(st.sampled_from(sorted(part))) if isinstance(part, dict) else None
    parts[name] = data.draw(_ODD) if key is None else {**part, key: data.draw(_ODD)}
    charts.pictures(_full(), parts)


def test_words_that_differ_are_marked_and_no_others() -> None:
    """Two texts that differ in a number have that number marked on both sides, and joined are what they were."""
    left, right = diff.words("a cat ate 3 mice", "a cat ate 14 mice today")
    assert [("3", True)] == [piece for piece in left if piece[1]]
    assert ["14", " today"] == [words for words, differs in right if differs]
    assert "a cat ate 14 mice today" == "".join(words for words, _ in right)


def test_a_teacher_that_is_the_student_is_drawn_as_a_loop() -> None:
    """A generator named as the student or its ancestor is a dashed line and the title; another name is not."""
    parts = {"lineage": {**_parts()["lineage"], "student": {"name": "other", "previous": ["acme-1b-v1"]}}}
    [picture] = charts.pictures({}, parts)
    assert ("The student would learn from itself", True) == (picture.title, " loop" in picture.markup)
    parts["lineage"]["student"] = {"name": "other", "previous": []}
    [picture] = charts.pictures({}, parts)
    assert ("Where the records come from", False) == (picture.title, " loop" in picture.markup)


def test_nothing_repeated_is_not_drawn_as_a_flat_line() -> None:
    """A curve of zeros has no picture: the number says it."""
    measurements = _full()
    measurements["near-duplicates"]["detail"]["curve"] = [[0.5, 0], [0.6, 0]]
    assert not any("How much repeats" in picture.title for picture in charts.pictures(measurements))


@pytest.mark.parametrize("title", _NEEDS)
def test_a_picture_without_its_data_is_left_out(title: str) -> None:
    """Taking away the details a picture is drawn from takes away that picture, and only details do."""
    measurements = _full()
    assert any(title in picture.title for picture in charts.pictures(measurements))
    for slug, m in measurements.items():
        if slug in _NEEDS[title] or title == "diversity measures":
            m.pop("detail", None)
    assert not any(title in picture.title for picture in charts.pictures(measurements))


@given(st.data())
def test_odd_details_never_break_a_picture(data: st.DataObject) -> None:
    """A plug-in may put anything under the keys the pictures read: the page is still made."""
    measurements = _full()
    slug = data.draw(st.sampled_from(sorted(slug for slug, m in measurements.items() if m.get("detail"))))
    m = measurements[slug]
    m["detail"] = {key: data.draw(_ODD) for key in m["detail"]}
    m.update({key: data.draw(st.none() | st.floats(-2, 2)) for key in ("value", "low", "high")})
    charts.pictures(measurements)


def test_the_dot_stands_on_the_law() -> None:
    """At 68 % synthetic the dot stands at n_eff = 1 - .68^2 of the height, as far right as the share says."""
    measurements = _full()
    del measurements["synthetic-ratio"]["detail"]["n_eff"]
    picture = charts.pictures(measurements)[0]
    found = re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="6"', picture.markup)
    assert found is not None
    assert (0.68, 0.54) == (round((float(found[1]) - 42) / 338, 2), round((178 - float(found[2])) / 152, 2))
    assert "68.0% synthetic leaves 53.7% effective" == picture.title


def test_an_unknown_share_is_drawn_as_bounds() -> None:
    """Without any label there is no dot, only the range that remains possible."""
    picture = charts.pictures(bare().to_dict()["measurements"])[0]
    assert "<circle" not in picture.markup
    assert "between 0% and 100%" in picture.markup


def test_bars_beyond_the_tenth_are_gathered() -> None:
    """Twelve generators give ten bars and one for the other two; the table has all twelve."""
    measurements = _full()
    shares = {f"model-{i:02d}": (12 - i) / 78 for i in range(12)}
    measurements["generator-concentration"]["detail"] = {"shares": shares}
    picture = next(p for p in charts.pictures(measurements) if p.header[0] == "generator")
    assert 11 == picture.markup.count('class="track"')
    assert "2 others" in picture.markup
    assert 12 == len(picture.rows)


def test_a_long_name_is_cut_in_the_picture_and_whole_in_the_table() -> None:
    """A long generator name keeps within its place; the table shows more of it."""
    measurements = _full()
    measurements["generator-concentration"]["detail"] = {"shares": {"x" * 70: 1.0}}
    picture = next(p for p in charts.pictures(measurements) if p.header[0] == "generator")
    assert f">{'x' * 45}…</text>" in picture.markup
    assert "x" * 70 == picture.rows[0][0]
