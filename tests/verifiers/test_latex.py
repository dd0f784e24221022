"""Simple LaTeX by exact algebra: what is equal, what is not, what is left open; agreement with the symbolic library."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.made_answers import latex as made_latex
from holdfast.verifiers.latex import LONGEST, equal, read
from holdfast.verifiers.math_pool import compare, math_pool


def same(one: str, other: str) -> bool | None:
    """Whether two answers stand for the same; None where one is not read or nothing is certain."""
    first, second = read(one), read(other)
    return None if first is None or second is None else equal(first, second)


EQUAL = [
    ("\\frac{10}{4}", "2.5"),
    ("\\dfrac12", "\\frac{1}{2}"),
    ("\\sqrt{8}", "2\\sqrt2"),
    ("\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}"),
    ("\\frac{1+\\sqrt5}{2}", "\\frac{\\sqrt5}{2}+\\frac12"),
    ("(1+\\sqrt{2})(1-\\sqrt{2})", "-1"),
    ("\\sqrt{2}\\cdot\\sqrt{3}", "\\sqrt{6}"),
    ("\\sqrt[3]{27}", "3"),
    ("3\\frac{1}{2}", "\\frac72"),
    ("2^{10}", "1024"),
    ("10^{-3}", "0.001"),
    ("6.02 \\times 10^{23}", "602000000000000000000000"),
    ("\\frac{3\\pi}{2}", "1.5\\pi"),
    ("1{,}234", "1234"),
    ("90^\\circ", "90"),
    ("x = 5", "5"),
    ("(x+1)(x-1)", "x^2-1"),
    ("\\frac{x^2-1}{x+1}", "x-1"),
    ("\\left(1, 2\\right)", "(1,2)"),
    ("[0, \\infty)", "[0,\\infty)"),
    ("(-\\infty, +\\infty)", "(-\\infty,\\infty)"),
    ("\\{1, 2, 2\\}", "\\{2, 1\\}"),
    ("1, 2", "2, 1"),
    ("\\begin{pmatrix}1 & \\frac{4}{2}\\end{pmatrix}", "\\begin{bmatrix} 1 & 2 \\end{bmatrix}"),
    ("2\\sin x\\cos y", "2 \\sin(x) \\cos(y)"),
    ("\\frac{1}{2}\\text{ km}", "500\\text{ m}"),
]
DIFFERENT = [
    ("\\sqrt{2}", "\\sqrt{3}"),
    ("\\sqrt{2}+\\sqrt{3}", "\\sqrt{5}"),
    ("\\sqrt{2}", "1.41"),
    ("\\pi", "3.14"),
    ("\\frac{22}{7}", "\\pi"),
    ("x+1", "y+1"),
    ("x^2", "x^3"),
    ("(1,2)", "(2,1)"),
    ("(1,2)", "(1,2,3)"),
    ("[0,1)", "[0,2)"),
    ("\\{1,2\\}", "\\{1,3\\}"),
    ("5\\text{ m}", "5\\text{ kg}"),
    ("5\\text{ m}", "5\\text{ km}"),
]
OPEN = [
    ("f(2)", "2f"),
    ("1/2x", "\\frac{x}{2}"),
    ("x^10", "x^{10}"),
    ("\\pm 2", "2"),
    ("x \\leq 5", "5 \\geq x"),
    ("(1,2)", "[1,2]"),
    ("[0,1)", "[0,1]"),
    ("\\sin 2x", "2\\sin x\\cos x"),
    ("e^2", "7.389"),
    ("x = 5", "y = 5"),
    ("1,234", "1234"),
    ("\\sqrt{-1}", "i"),
    ("\\infty-\\infty", "0"),
    ("Wednesday", "wednesday"),
    ("2 3", "6"),
    ("\\frac{1}{0}", "1"),
    ("9^{9^{9}}", "1"),
    ("\\sqrt[99]{2}", "2"),
    ("(" * 300, "1"),
    ("x_{\\sqrt{2}}", "x"),
    ("1" * (LONGEST + 1), "1"),
    ("(x+y+z+a+b+c)^{40}", "1"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal(one: str, other: str) -> None:
    """Different writings of one value are equal, either way round."""
    assert (True, True) == (same(one, other), same(other, one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    """Different values are different, either way round."""
    assert (False, False) == (same(one, other), same(other, one))


@pytest.mark.parametrize(("one", "other"), OPEN)
def test_left_to_the_library(one: str, other: str) -> None:
    """What has two readings, or leaves exact algebra, is decided neither way."""
    assert (None, None) == (same(one, other), same(other, one))


@given(st.fractions(max_denominator=50), st.fractions(max_denominator=50), st.sampled_from([2, 3, 5, 6, 7]))
def test_surds_are_a_field(one: float, other: float, inside: int) -> None:
    """(a + b sqrt n)(a - b sqrt n) is a^2 - b^2 n, and nothing else."""
    conjugates = f"(({one})+({other})\\sqrt{{{inside}}})(({one})-({other})\\sqrt{{{inside}}})"
    assert same(conjugates, f"({one * one - other * other * inside})") is True
    assert same(conjugates, f"({one * one - other * other * inside + 1})") is False


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_a_number_never_equals_another(one: int, other: int) -> None:
    """Whole numbers are equal exactly when they are the same."""
    assert (one == other) is same(str(one), str(other))


@given(
    st.text(alphabet="0123456789+-*/^_().,[]{}xyef \\=&fracsqrtpi", max_size=60), st.sampled_from(["1", "x", "(1,2)"])
)
def test_any_text_is_read_without_error(text: str, other: str) -> None:
    """No arrangement of the characters of LaTeX raises, and equality is symmetric."""
    assert same(text, other) is same(other, text)
    assert same(text, text) in (True, None)


def test_agrees_with_the_library() -> None:
    """On generated pairs, right and wrong by construction, every decided one is decided as math-verify does."""
    pairs = [
        (record.fields["gold"], "$" + record.response.partition("\\boxed{")[2].removesuffix("}$.") + "$")
        for record, _ in made_latex(Random(3), 120)
    ]
    ours = [same(gold.strip("$"), given.strip("$")) for gold, given in pairs]
    pool = math_pool()
    try:
        theirs = [found.fate == "equal" for found in compare(pool, pairs)]
    finally:
        pool.close()
    assert [] == [
        (pair, one, other) for pair, one, other in zip(pairs, ours, theirs, strict=True) if one not in (None, other)
    ]
    assert ours.count(None) < len(pairs) / 4
