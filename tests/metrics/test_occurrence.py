"""What a text shows of its author: layout and length are not looked at, and empty texts are no fault."""

import numpy as np
import pytest

from holdfast.metrics.occurrence import MOST_WORDS, scorer, shown


def test_layout_is_not_looked_at():
    """Line breaks where spaces were change no feature."""
    one, two = shown(["One sentence here. Another one."]), shown(["One sentence\n\nhere.\nAnother one."])
    assert one.style.tolist() == two.style.tolist()
    assert one.columns.tolist() == two.columns.tolist()


def test_only_the_beginning_is_read():
    """A text and the same text going on have equal features from the limit on."""
    start = " ".join(f"w{n}" for n in range(MOST_WORDS))
    one, two = shown([start]), shown([f"{start} and more and more"])
    assert one.columns.tolist() == two.columns.tolist()


@pytest.mark.parametrize("text", ["", " \n", "\u4e2d\u6587", "\U0001f600" * 5, "a"])
def test_any_text_has_features(text):
    """Texts without words, of one word or of another script have finite features."""
    found = shown([text, "b c"])
    assert found.n == 2
    assert np.isfinite(found.style).all()


def test_taking_rows_keeps_their_features():
    """Rows taken are those of the texts taken, in the order asked."""
    texts = ["a b c", "", "d e", "f"]
    whole, part = shown(texts).take(np.asarray([2, 0])), shown(["d e", "a b c"])
    assert part.documents.tolist() == whole.documents.tolist()
    assert part.columns.tolist() == whole.columns.tolist()
    assert np.allclose(part.style, whole.style)


def test_both_scores_rise_with_the_synthetic_side():
    """A word of the synthetic side raises both scores."""
    texts = [f"plain words here {'alpha' if n % 2 else 'beta'} x{n % 7}" for n in range(80)]
    made = np.arange(80) % 2 == 1
    low, high = scorer(shown(texts), made)(shown(["plain words here beta x1", "plain words here alpha x1"]))
    assert (high > low).all()
