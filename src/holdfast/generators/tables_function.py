"""Python functions over lists: what they are to do in words, a right program, and tests.

A function keeps some elements, changes each, and gathers them. The program is written as text; what the tests expect
is computed by the makers' own functions, so that running the program against them checks both.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from holdfast.generators.tables_item import GOODS, TOWNS, Item
from holdfast.generators.wording import choose


class _Step(NamedTuple):
    """One step: in words, as Python with `{x}` (an element) or `{xs}` (the elements), and as what it does."""

    words: str
    code: str
    does: Callable[[Any], Any]


class _Kind(NamedTuple):
    """Lists of one kind: how they are called and drawn, and the steps that fit them."""

    words: str
    arguments: tuple[str, ...]
    draw: Callable[[Random], list[Any]]
    keep: Callable[[Random], _Step]
    change: Callable[[Random], _Step]
    gather: tuple[_Step, ...]


def _keep_number(random: Random) -> _Step:
    k = random.randint(2, 12)
    return random.choice(
        (
            _Step("are even", "{x} % 2 == 0", lambda x: x % 2 == 0),
            _Step("are odd", "{x} % 2 == 1", lambda x: x % 2 == 1),
            _Step(f"are greater than {k}", f"{{x}} > {k}", lambda x: x > k),
            _Step(f"are smaller than {k * 3}", f"{{x}} < {k * 3}", lambda x: x < k * 3),
            _Step(f"are divisible by {k}", f"{{x}} % {k} == 0", lambda x: x % k == 0),
            _Step(f"are not divisible by {k}", f"{{x}} % {k} != 0", lambda x: x % k != 0),
            _Step(
                f"lie between {-k} and {k * 2}, both included", f"{-k} <= {{x}} <= {k * 2}", lambda x: -k <= x <= k * 2
            ),
        )
    )


def _change_number(random: Random) -> _Step:
    k = random.randint(2, 15)
    return random.choice(
        (
            _Step(f"multiplied by {k}", f"{{x}} * {k}", lambda x: x * k),
            _Step(f"increased by {k}", f"{{x}} + {k}", lambda x: x + k),
            _Step(f"reduced by {k}", f"{{x}} - {k}", lambda x: x - k),
            _Step(f"subtracted from {k}", f"{k} - {{x}}", lambda x: k - x),
            _Step("squared", "{x} ** 2", lambda x: x**2),
            _Step("taken without its sign", "abs({x})", abs),
            _Step(f"replaced by its remainder on division by {k}", f"{{x}} % {k}", lambda x: x % k),
        )
    )


def _keep_word(random: Random) -> _Step:
    k, letter = random.randint(3, 8), random.choice("aeiorstln")
    return random.choice(
        (
            _Step(f"have more than {k} characters", f"len({{x}}) > {k}", lambda x: len(x) > k),
            _Step(f"have at most {k + 2} characters", f"len({{x}}) <= {k + 2}", lambda x: len(x) <= k + 2),
            _Step(f"contain the letter {letter!r}", f"{letter!r} in {{x}}", lambda x: letter in x),
            _Step(f"do not contain the letter {letter!r}", f"{letter!r} not in {{x}}", lambda x: letter not in x),
            _Step(f"end in {letter!r}", f"{{x}}.endswith({letter!r})", lambda x: x.endswith(letter)),
            _Step(f"start with {letter!r}", f"{{x}}.startswith({letter!r})", lambda x: x.startswith(letter)),
        )
    )


def _change_word(random: Random) -> _Step:
    k, sign = random.randint(2, 6), random.choice("-_+!.*")
    return random.choice(
        (
            _Step("put in capitals", "{x}.upper()", str.upper),
            _Step("reversed", "{x}[::-1]", lambda x: x[::-1]),
            _Step(f"cut to its first {k} characters", f"{{x}}[:{k}]", lambda x: x[:k]),
            _Step(f"stripped of its first {k} characters", f"{{x}}[{k}:]", lambda x: x[k:]),
            _Step(f"given {sign!r} as a prefix", f"{sign!r} + {{x}}", lambda x: sign + x),
            _Step(f"given {sign!r} as a suffix", f"{{x}} + {sign!r}", lambda x: x + sign),
            _Step(f"repeated {k} times", f"{{x}} * {k}", lambda x: x * k),
        )
    )


_LISTS = (
    _Step("[as a list in their order|in a list, in the given order]", "list({xs})", list),
    _Step("[as a sorted list|in a list in ascending order]", "sorted({xs})", sorted),
    _Step("as a list in descending order", "sorted({xs}, reverse=True)", lambda xs: sorted(xs, reverse=True)),
    _Step("as a sorted list without repetitions", "sorted(set({xs}))", lambda xs: sorted(set(xs))),
)
_NUMBERS = (
    *_LISTS,
    _Step("[added up|as their sum]", "sum({xs})", sum),
    _Step("as their maximum, or 0 if there are none", "max({xs}, default=0)", lambda xs: max(xs, default=0)),
    _Step("as their minimum, or 0 if there are none", "min({xs}, default=0)", lambda xs: min(xs, default=0)),
)
_WORDS = (
    *_LISTS,
    _Step("joined by commas without blanks", '",".join({xs})', ",".join),
    _Step("joined by single blanks", '" ".join({xs})', " ".join),
    _Step("as the number of their characters taken together", "sum(map(len, {xs}))", lambda xs: sum(map(len, xs))),
)
_POOL = tuple(dict.fromkeys(word.lower() for name in (*GOODS, *TOWNS) for word in name.split()))


def _some_numbers(random: Random) -> list[Any]:
    return [random.randint(-20, 60) for _ in range(random.randint(4, 8))]


def _some_words(random: Random) -> list[Any]:
    return random.sample(_POOL, random.randint(3, 6))


_KINDS = (
    _Kind("[integers|whole numbers]", ("numbers", "values", "items", "data", "nums"), _some_numbers, _keep_number,
          _change_number, _NUMBERS),
    _Kind("[words|strings]", ("words", "texts", "names", "entries", "tokens"), _some_words, _keep_word, _change_word,
          _WORDS),
)  # fmt: skip
_VERBS = ("select", "pick", "gather", "collect", "process", "handle", "reduce", "arrange", "filter", "convert", "build")
_INTROS = (
    "[Write a Python function.|Define this function in Python.|Implement this in Python.|A Python function is wanted.] "
)
# Lists that tests are chosen from, so that tests tell programs apart.
_TRIES = 12

Steps = tuple[_Step | None, _Step | None, _Step]


def make(random: Random, hard: bool) -> Item:
    """Return a function that keeps or changes elements, or does both, and gathers them."""
    kind = random.choice(_KINDS)
    both = hard or random.choice(("keep", "change"))
    keep = kind.keep(random) if both in (True, "keep") else None
    change = kind.change(random) if both in (True, "change") else None
    gather = random.choice(kind.gather)
    argument = random.choice(kind.arguments)
    name = f"{random.choice(_VERBS)}_{argument}"
    steps, names = (keep, change, gather), (name, argument)
    prompt = choose(random, _INTROS + " ".join(_asked(kind, steps, names)))
    code = _program(random, steps, names)
    return Item(prompt, f"```python\n{code}\n```", {"tests": _tests(random, kind, steps, name)})


def _asked(kind: _Kind, steps: Steps, names: tuple[str, str]) -> Iterator[str]:
    """Yield the sentences of a task, with alternatives."""
    keep, change, gather = steps
    yield f"`{names[0]}({names[1]})` [takes|gets|is given] a list of {kind.words}."
    if keep:
        yield f"[It keeps only those that|It uses only those that|It drops all but those that] {keep.words}."
    if change:
        yield f"[Each|Every one|Each one] of {'these' if keep else 'them'} is {change.words}."
    yield f"[The results are returned|It returns the results|What comes out is returned] {gather.words}."


def _program(random: Random, steps: Steps, names: tuple[str, str]) -> str:
    """Return the program, in one expression or as a loop."""
    keep, change, gather = steps
    name, argument = names
    element = random.choice(("x", "each", "item", "value", "element"))
    element = element if element != argument else "x"
    changed = (change.code if change else "{x}").format(x=element)
    test = keep.code.format(x=element) if keep else ""
    if random.random() < 0.5:
        inside = f"[{changed} for {element} in {argument}{f' if {test}' if test else ''}]"
        return f"def {name}({argument}):\n    return {gather.code.format(xs=inside)}"
    lines = [f"def {name}({argument}):", "    result = []", f"    for {element} in {argument}:"]
    lines += (
        [f"        if {test}:", f"            result.append({changed})"]
        if test
        else [f"        result.append({changed})"]
    )
    return "\n".join([*lines, f"    return {gather.code.format(xs='result')}"])


def _tests(random: Random, kind: _Kind, steps: Steps, name: str) -> list[str]:
    """Return five assertions, one about an empty list; the others, where found, keep some elements and not others."""
    drawn = [kind.draw(random) for _ in range(_TRIES)]
    drawn.sort(key=lambda given: len(_kept(given, steps)) in (0, len(given)))
    return [f"assert {name}({given!r}) == {_expected(given, steps)!r}" for given in ([], *drawn[:4])]


def _kept(given: Sequence[Any], steps: Steps) -> list[Any]:
    return [each for each in given if steps[0] is None or steps[0].does(each)]


def _expected(given: Sequence[Any], steps: Steps) -> Any:
    _, change, gather = steps
    return gather.does([change.does(each) if change else each for each in _kept(given, steps)])
