"""The pages without a server: blind, safe to look at, saved once, in words that fit the question."""

import re
from html.parser import HTMLParser

import pytest

from holdfast.core.labels import Label, append, read_labels
from holdfast.core.record import Message
from holdfast.web.pages import MOST_SHOWN, shown
from holdfast.web.review import ROUTES, Pages, rater_name, time_left
from holdfast.web.security import Asked, Gate
from holdfast.workflows.review import Desk, ReviewOptions, Standing
from holdfast.workflows.review_queue import Item
from tests.report.payloads import payloads

PAIRS = ReviewOptions(pairs=True)


class Outline(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.words = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data


def pages(tmp_path, options=PAIRS, text="word", rater="ann", count=4):
    """The handler over items that hold `text` everywhere, and secrets that nobody may see."""
    asked = (Message("user", text),)
    items = [
        Item(
            f"SECRET-{n}", asked, f"{text} {n}", f"SECRET-{n}b" if options.pairs else None, text, "SECRET-g", "SECRET-c"
        )
        for n in range(count)
    ]
    return Pages(Desk(tmp_path / "labels.jsonl", items, text, options), Gate(1, ROUTES), rater, clock=lambda: 0.0)


def get(handler, path="/review", **query):
    """The page at a path."""
    return handler(Asked("GET", path, query)).body


def post(handler, path="/answer", cookies=(), **form):
    """The reply to a form."""
    return handler(Asked("POST", path, {}, {name: str(value) for name, value in form.items()}, dict(cookies)))


@pytest.mark.parametrize(
    "options", [ReviewOptions(), ReviewOptions(scale=5), PAIRS, ReviewOptions(pairs=True, adjudicate=True)]
)
def test_no_page_tells_what_it_shows(tmp_path, options):
    """Id, generator and cell are in no page, no address and no form, before and after answers."""
    handler = pages(tmp_path, options)
    for at in range(1, 5):
        reply = post(handler, at=at, seen=at - 1, answer="1")
        assert "SECRET" not in reply.location + get(handler, at=str(at)) + get(handler)
    assert 4 == len(read_labels(handler.desk.path))
    assert "All done" in get(handler)
    assert "SECRET" not in get(handler)


@pytest.mark.parametrize("options", [PAIRS, ReviewOptions(scale=5)])
def test_no_text_becomes_an_element_or_an_attribute(tmp_path, options):
    """Each of 60 payloads in prompt, answers, rubric, note and name leaves exactly what a harmless word leaves."""
    handler = pages(tmp_path, options)
    post(handler, at=1, seen=0, answer="1", note="word")
    harmless = Outline(get(handler, at="1"))
    for number, text in enumerate(payloads()):
        folder = tmp_path / str(number)
        clean = text.encode("utf-8", "replace").decode()
        handler = pages(folder, options, clean, f"n {clean}")
        post(handler, at=1, seen=0, answer="1", note=clean)
        found = Outline(get(handler, at="1"))
        assert harmless.elements == found.elements, text
        assert len(harmless.attributes) == len(found.attributes)
        assert [] == [item for item in found.attributes if "owned" in str(item) or "127.0.0.1" in str(item)]


def test_no_page_has_inline_script_or_style(tmp_path):
    """Every script and style is a file of ours, as the policy demands."""
    handler = pages(tmp_path)
    for page in (get(handler), get(handler, "/"), get(pages(tmp_path, rater=""), "/rater")):
        outline = Outline(page)
        assert [] == [name for name, _ in outline.attributes if name == "style" or name.startswith("on")]
        assert "style" not in outline.elements
        assert re.findall(r"<script(.*?)>(.*?)</script>", page) in ([], [(' src="/review.js" defer', "")])


def test_steering_characters_are_named():
    """Direction overrides, zero-width and terminal characters are named by code point; line ends are of one kind."""
    assert "a<U+202E>b<U+200B>c<U+001B>[2J\nd" == shown("a\u202eb\u200bc\x1b[2J\r\nd")
    assert "مرحبا" == shown("مرحبا")


def test_a_very_long_text_is_cut_and_says_so():
    """A text of a million letters does not stop the browser; how much is missing is said."""
    long = shown("x" * 1_000_000)
    assert long.endswith("900,000 more letters are not shown")
    assert len(long) < MOST_SHOWN + 100


def test_sent_twice_is_saved_once(tmp_path):
    """The same form again, as a browser sends it after a broken connection, writes nothing and leads on."""
    handler = pages(tmp_path)
    replies = [post(handler, at=1, seen=0, answer="1") for _ in range(2)]
    assert ["/review?at=2", "/review?late=1"] == [reply.location for reply in replies]
    assert 1 == len(read_labels(handler.desk.path))
    assert "saved before" in get(handler, late="1")


def test_a_second_tab_loses_no_answer_and_takes_none_back(tmp_path):
    """Two tabs with two questions save both; an undo from the older tab changes nothing, one from a fresh page does."""
    handler = pages(tmp_path)
    assert [303, 303] == [post(handler, at=at, seen=0, answer="1").status for at in (1, 2)]
    assert "/review?late=1" == post(handler, at=2, seen=0, answer="2").location
    assert "/review?late=1" == post(handler, "/undo", seen=1).location
    assert 2 == len(handler.desk.answers("ann"))
    assert "nothing was changed" in get(handler, late="1")
    assert "/review?at=2" == post(handler, "/undo", seen=2).location
    assert 1 == len(handler.desk.answers("ann"))


def test_seconds_are_from_sight_to_answer(tmp_path):
    """The clock starts when a question is first shown, not when it is shown again; unseen, it says nothing."""
    handler = pages(tmp_path)
    times = iter([10.0, 17.5])
    handler.clock = lambda: next(times)
    get(handler)
    get(handler)
    post(handler, at=1, seen=0, answer="1")
    post(handler, at=2, seen=1, answer="1")
    assert [7.5, None] == [label.seconds for label in read_labels(handler.desk.path)]


def test_raters_are_asked_for_their_name(tmp_path):
    """Without --rater every page leads to the question; a name is kept in a cookie; two names are two raters."""
    handler = pages(tmp_path, rater="")
    assert "/rater" == handler(Asked("GET", "/review")).location
    assert "/rater" == post(handler, at=1, seen=0, answer="1").location
    for name in ("Ann  Ö", "bob; x=1"):
        reply = post(handler, "/rater", name=name)
        assert "/review" == reply.location
        assert post(handler, cookies=reply.cookies, at=1, seen=0, answer="1").location == "/review?at=2"
    assert ["Ann Ö", "bob; x=1"] == [label.rater for label in read_labels(handler.desk.path)]


def test_blanks_around_a_name_make_no_second_person():
    """Given on the command line or on the page, a name is the same rater."""
    assert "Ann Ö" == rater_name(" Ann   Ö ")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\u202eb", "a\x00b"])
def test_a_name_that_cannot_be_meant_is_asked_again(tmp_path, name):
    """Empty, endless and invisible names are refused in words."""
    reply = post(pages(tmp_path, rater=""), "/rater", name=name)
    assert (400, {}) == (reply.status, dict(reply.cookies))
    assert "1 to 60 letters" in reply.body


@pytest.mark.parametrize("form", [{}, {"at": "0"}, {"at": "99"}, {"at": "1", "answer": "9"}, {"at": "x"}, {"at": "²"}])
def test_a_form_that_cannot_be_meant_writes_nothing(tmp_path, form):
    """A missing or wrong place or key is one clear page."""
    handler = pages(tmp_path)
    reply = post(handler, **{"seen": "0", **form})
    assert 400 == reply.status
    assert "This did not work" in reply.body
    assert not handler.desk.path.exists()


def test_what_is_not_saved_is_said(tmp_path):
    """Where the disk refuses, the page says that the answer is not saved, and does not move on."""
    handler = pages(tmp_path)
    handler.desk.path = tmp_path / "file" / "labels.jsonl"
    handler.desk.path.parent.touch()
    reply = post(handler, at=1, seen=0, answer="1")
    assert 500 == reply.status
    assert "was not saved" in reply.body


def test_words_fit_what_was_seen(tmp_path):
    """An earlier answer is named by the side the rater saw; an adjudicator reads others' answers in their own sides."""
    handler = pages(tmp_path)
    for at in range(1, 5):
        post(handler, at=at, seen=at - 1, answer="1", note="why")
        assert "You said: Left." in get(handler, at=str(at))
    path = handler.desk.path
    append(path, [Label("SECRET-0", "bob", "choice", 0, other="SECRET-0b", note="same to me")])
    settle = pages(tmp_path, ReviewOptions(pairs=True, adjudicate=True), rater="carol", count=1)
    words = " ".join(Outline(get(settle)).words.split())
    item = settle.desk.items[0]
    value = {label.rater: label.value for label in read_labels(path) if label.id == item.id}["ann"]
    side = "Left" if (value == 1) != settle.desk.turned(item, "carol") else "Right"
    assert f"What raters said ann: {side} why bob: Tie same to me" in words


def test_a_rater_sees_nobody_elses_answers(tmp_path):
    """Before an answer is given, no other rater's answer or note is on the page."""
    handler = pages(tmp_path, count=1)
    append(handler.desk.path, [Label("SECRET-0", "bob", "choice", 0, other="SECRET-0b", note="HIDDEN")])
    page = get(handler)
    assert "HIDDEN" not in page
    assert "bob" not in page


@pytest.mark.parametrize(
    ("done", "left", "expected"),
    [
        (0, None, ""),
        (3, 20, "less than a minute left"),
        (3, 600, "about 10 min left"),
        (3, 9000, "about 2.5 h left"),
        (9, 0, ""),
    ],
)
def test_time_left_in_words(done, left, expected):
    """Unknown before the first answer, nothing at the end, minutes and hours between."""
    assert expected == time_left(Standing(done, 9, left))
