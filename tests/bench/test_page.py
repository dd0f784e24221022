"""Measured parts of a page: replaced where they are named, untouched where they are not."""

from bench.page import filled, markdown

PAGE = "a\n<!-- measured: all pairs -->\nold\n<!-- end -->\nb\n<!-- measured: other -->\nkept\n<!-- end -->\n"


def test_a_table_has_its_head_first() -> None:
    """The first row is the head, with a rule below it."""
    assert markdown([["x", "y"], ["1", "2"]]) == "| x | y |\n|---|---|\n| 1 | 2 |"


def test_only_named_parts_are_replaced() -> None:
    r"""A new part stands between its marks to the letter (here \1); other parts stay, and unknown names do nothing."""
    assert filled(PAGE, {"all pairs": r"new \1", "absent": "x"}) == PAGE.replace("old", "\nnew \\1\n")


def test_filling_twice_changes_nothing() -> None:
    """A page filled with the same parts again is the same page."""
    once = filled(PAGE, {"all pairs": "new", "other": "too"})
    assert filled(once, {"all pairs": "new", "other": "too"}) == once
