"""Words, shingles and digests: compiled kernels and numpy equal a plain reference on every input."""

import unicodedata
from importlib import import_module
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdfast.core import text as core_text
from holdfast.core.hashing import BASE, LANE, MIX_1, MIX_2, STEP

FULL = (1 << 64) - 1
SINGLE_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "HANGZHOU NUMERAL",
    "HENTAIGANA",
    "HIRAGANA",
    "IDEOGRAPHIC CLOSING MARK",
    "IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
    "KANA REPEAT",
    "KATAKANA",
    "MASU MARK",
)

TEXTS = [
    "7 + 3 = 10; x<=y && f(a_1)->b 5€ ½ x²",
    "()[]{}" * 9,
    "",
    " ",
    "!!!",
    "a",
    "The  quick\tbrown\nfox.",
    "don’t “quote” me",
    "naïve cafe\u0301 CAFÉ",
    "zero\u200bwidth soft\u00adhyphen\ufeff",
    "日本語のテキスト 123 한국어 단어",
    "العَرَبِيَّة نصٌّ",
    "👩‍👩‍👧 family 🇩🇪 1️⃣",
    "ΣΊΣΥΦΟΣ İstanbul ẞ",
    "x" * 3000,
    "\u0301leading mark \x1c\x85\u3000space",
    "\U000e0067tag \U0010ffff private \U000f0000",
    "カ\u3099 ガ ガ",
    "\u1112\u1161\u11ab",
]
ALPHABET = "aB9 \n\t.,’“é\u0301\u00ad\u200b\u200dΣİ日のカ\u3099한\u1112\u1161عَ👩\ufe0f\u3000\x1c_\U000e0067\U00020000ß"
any_text = st.one_of(st.text(max_size=60), st.text(ALPHABET, max_size=60))


def reference_fold(char: str) -> str:
    return char.lower() if len(char.lower()) == 1 else char


def reference_ignored(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or "VARIATION SELECTOR" in unicodedata.name(char, "")


def reference_single(char: str) -> bool:
    name = unicodedata.name(char, "").removeprefix("HALFWIDTH ").removeprefix("VERTICAL ")
    return unicodedata.category(char)[0] in "LN" and name.startswith(SINGLE_NAMES)


def reference_words(text: str, symbols: bool = False) -> list[str]:
    """Walk NFC character by character; the definition of the module's first paragraph, nothing else."""
    found, run = [], ""
    for char in unicodedata.normalize("NFC", text):
        if reference_ignored(char):
            continue
        letter = unicodedata.category(char)[0] in "LNM"
        if letter and not reference_single(char):
            run += reference_fold(char)
            continue
        alone = letter or (symbols and unicodedata.category(char)[0] in "PS")
        found += [run] * bool(run) + [reference_fold(char)] * alone
        run = ""
    return found + [run] * bool(run)


def reference_mix(value: int) -> int:
    value = (value ^ (value >> 30)) * MIX_1 & FULL
    value = (value ^ (value >> 27)) * MIX_2 & FULL
    return value ^ (value >> 31)


def reference_polynomial(items: list[int]) -> int:
    value = 0
    for item in items:
        value = (value * BASE + item) & FULL
    return value


def reference_word_hashes(text: str, symbols: bool = False) -> list[int]:
    words = reference_words(text, symbols)
    return [reference_mix(reference_polynomial([ord(char) for char in word])) for word in words]


def reference_canonical(text: str) -> str:
    kept = [char for char in unicodedata.normalize("NFC", text) if not reference_ignored(char)]
    return " ".join("".join(reference_fold(char) for char in kept).split())


def reference_digest(text: str) -> list[int]:
    data = reference_canonical(text).encode()
    low = high = 0
    for place in range(0, len(data), 8):
        chunk = int.from_bytes(data[place : place + 8], "little")
        mixed = reference_mix(chunk ^ ((place // 8 + 1) * STEP & FULL))
        low += mixed
        high += (mixed ^ (mixed >> 29)) * LANE
    return [reference_mix((low & FULL) ^ len(data)), reference_mix((high + len(data)) & FULL)]


def reference_shingles(items: list[int], n: int) -> list[int]:
    spans = [items[i : i + n] for i in range(max(1, len(items) - n + 1))] if items else []
    return [reference_mix(reference_polynomial(span)) for span in spans]


@pytest.fixture(params=["numpy", "compiled"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test once with the numpy form and once with the compiled kernels."""
    if request.param == "compiled":
        import_module("holdfast.core.kernels")
        monkeypatch.setattr(core_text, "KERNEL_BYTES", 0)
    else:
        monkeypatch.setattr(core_text, "KERNELS", "holdfast.core.no_such_kernels")
    return str(request.param)


def ragged(result: tuple[np.ndarray, np.ndarray]) -> list[list[int]]:
    flat, offsets = result
    return [flat[a:b].tolist() for a, b in pairwise(offsets)]


def check_all(texts: list[str]) -> None:
    array = pa.array(texts, pa.string())
    expected = [reference_word_hashes(text) for text in texts]
    assert expected == ragged(core_text.word_hashes(array))
    assert [len(words) for words in expected] == core_text.word_counts(array).tolist()
    assert [reference_digest(text) for text in texts] == core_text.digests(array).tolist()
    for n in (1, 3, 5, 13):
        assert [reference_shingles(words, n) for words in expected] == ragged(core_text.shingles(array, n))
    signs = [reference_shingles(reference_word_hashes(text, symbols=True), 3) for text in texts]
    assert signs == ragged(core_text.shingles(array, 3, "symbol"))
    chars = [[ord(char) for char in reference_canonical(text)] for text in texts]
    assert [reference_shingles(codes, 5) for codes in chars] == ragged(core_text.shingles(array, 5, "char"))


def test_known_texts_equal_the_reference(form: str) -> None:
    """Curly quotes, emoji, CJK, Arabic, zero-width, decomposed and very long words all hash as defined."""
    check_all(TEXTS)


@pytest.mark.parametrize("name", ["numpy", "compiled"])
def test_every_input_equals_the_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No text, of any characters, is treated differently by the fast forms and the plain definition."""
    import_module("holdfast.core.kernels")
    monkeypatch.setattr(core_text, "KERNELS", "holdfast.core.kernels" if name == "compiled" else "holdfast.none")

    @settings(max_examples=150, deadline=None)
    @given(st.lists(any_text, max_size=6))
    @example(["一a一a", "a", "", "a"])
    def holds(texts: list[str]) -> None:
        check_all(texts)

    holds()


@settings(max_examples=300, deadline=None)
@given(any_text)
def test_words_and_normalise_equal_the_reference(text: str) -> None:
    """The small-use functions on one string follow the same definition as the kernels."""
    assert reference_words(text) == core_text.words(text)
    assert reference_words(text, symbols=True) == core_text.words(text, "symbol")
    assert reference_canonical(text) == core_text.normalise(text)


@given(any_text)
@example("na\u00efve caf\u00e9, 3+4")
def test_words_and_gaps_put_together_are_the_text(text: str) -> None:
    """Nothing of a folded text is lost between its words and the gaps around them, and the words are `words`."""
    found, gaps = core_text.parted(text)
    assert core_text.words(text) == found
    assert core_text._folded(text) == "".join(gap + word for gap, word in zip(gaps, [*found, ""], strict=True))


def test_every_character_is_classified_as_its_name_says() -> None:
    """Over all of Unicode, the table of kinds agrees with categories and names, not only on sampled texts."""
    chars = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x110000))]
    spaced = pa.array(["a" + char + "a" for char in chars])
    assert [len(reference_words(text)) for text in spaced.to_pylist()] == core_text.word_counts(spaced).tolist()


def test_examples_of_the_definition() -> None:
    """What the definition means on texts that people write."""
    assert ["don", "t", "stop"] == core_text.words("Don’t STOP!")
    assert ["日", "本", "語", "の", "を"] == core_text.words("日本語のを")
    assert ["한국어", "단어"] == core_text.words("한국어 단어")
    assert ["softhyphen"] == core_text.words("soft\u00adhyphen")
    assert core_text.words("cafe\u0301") == core_text.words("CAFÉ")
    assert ["f", "(", "x", "_", "1", "≤", "7", ")"] == core_text.words("f(x_1≤7)", "symbol")


def test_chunks_slices_nulls_and_wide_strings_make_no_difference(form: str) -> None:
    """The same texts give the same numbers whatever Arrow layout holds them."""
    whole = core_text.digests(pa.array(TEXTS)).tolist()
    chunked = pa.chunked_array([pa.array(["x", *TEXTS[:3]]).slice(1), pa.array(TEXTS[3:])])
    assert whole == core_text.digests(chunked).tolist()
    assert whole == core_text.digests(pa.array(TEXTS, pa.large_string())).tolist()
    assert core_text.digests(pa.array([""])).tolist() == core_text.digests(pa.array([None], pa.string())).tolist()
    assert (0, 2) == core_text.digests(pa.chunked_array([], pa.string())).shape
    assert [0] == core_text.word_counts(pa.array([None], pa.string())).tolist()


def test_blocks_do_not_show(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting an array into many blocks changes no result."""
    texts = pa.array(TEXTS * 3)
    whole = ragged(core_text.shingles(texts, 3)), core_text.digests(texts).tolist()
    monkeypatch.setattr(core_text, "BLOCK_BYTES", 50)
    assert whole == (ragged(core_text.shingles(texts, 3)), core_text.digests(texts).tolist())
