"""The outline: it spares work and changes nothing of what is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.privacy import personal, secrets
from holdfast.privacy.hidden import hidden_text
from holdfast.privacy.leaks import compiled
from holdfast.privacy.outgoing import leaks_of
from holdfast.privacy.outline import likely, outline, signed
from tests.privacy.test_hidden import PAYLOADS
from tests.privacy.test_personal import HARMLESS, REAL
from tests.privacy.test_secrets import planted

ALL = compiled((*personal.RECOGNISERS, *secrets.RECOGNISERS))
TEXTS = [*(text for _, text, _ in REAL), *HARMLESS, *PAYLOADS, *planted(3).values(), "", "nothing here"]


def slowly(text):
    """What the finders say without an outline."""
    return [*personal.personal_data(text), *secrets.secrets(text), *hidden_text(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_every_known_case_is_found_the_same(text):
    """Real, harmless, hidden and planted text: the same leaks in the same order."""
    assert slowly(text) == leaks_of(text)


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)), min_size=1, max_size=4), st.booleans())
def test_any_mixture_is_found_the_same(parts, shouted):
    """The same for mixtures with arbitrary Unicode, in capitals too."""
    text = " ".join(parts)
    text = text.upper() if shouted else text
    assert slowly(text) == leaks_of(text)


@given(st.text(alphabet="0123456789 .-+()@:/aAbBeExX\n\u00a0\u0660İK", max_size=120))
def test_digits_and_separators_are_found_the_same(text):
    """The same for dense digits, other alphabets' digits and letters that change when folded."""
    assert slowly(text) == leaks_of(text)


@given(st.data(), st.sampled_from(ALL))
def test_a_sign_stands_wherever_a_recogniser_matches(data, pair):
    """What a pattern itself draws, whether believed or not, keeps its recogniser."""
    recogniser, pattern = pair
    text = data.draw(st.from_regex(pattern.pattern, fullmatch=False, alphabet=st.characters(max_codepoint=0x10CF)))
    if pattern.search(text) and any(recogniser.accept(m.group(m.lastindex or 0)) for m in pattern.finditer(text)):
        assert pair in likely(signed((pair,)), outline(text))


def test_plain_text_needs_no_recogniser():
    """Prose without digits, and arithmetic, pass without one pattern being tried."""
    for text in ("The committee adjourned, and nobody was surprised.", "Anna has 12 apples and eats 3 of 48."):
        assert () == likely(signed(ALL), outline(text))


def test_each_recogniser_says_its_signs():
    """None is always tried: a forgotten sign would cost every prompt."""
    assert [] == [pair[0].kind for pair in ALL if b"" in pair[0].signs]
