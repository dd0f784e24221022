"""Translated tests: what is cut out for the sandbox, what stays outside, and that both together mean the same."""

import ast
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.verifiers.code_lift import UntranslatableError
from holdfast.verifiers.code_plan import Plan, translate
from holdfast.verifiers.code_tests import Script, asserts, called, parsed, read_tests, unchecked
from holdfast.verifiers.code_values import UnknownError, evaluate
from holdfast.verifiers.sandbox import plain


def plan(script: str, entry: str = "f") -> Plan:
    """A script translated."""
    return translate(Script(script, "", parsed(script), None), entry)


def holds(found: Plan, answers: list[Any]) -> list[bool]:
    """Which cases hold of given answers."""
    return [case.holds({f"?{number}": answer for number, answer in enumerate(answers)}) for case in found.cases]


TRANSLATED = {
    "assert f(1, b=2) == 3": ["f(1, b=2)"],
    "assert abs(f(2) - 0.5) < 1e-6": ["f(2)"],
    "assert not f('x')": ["f('x')"],
    "assert set(f([1])) == {1}, 'message'": ["f([1])"],
    "assert sorted(f(3), reverse=True)[0] == 2 and f(4) is None": ["f(3)", "f(4)"],
    "import math\nassert math.isclose(f(math.pi), 1.0, rel_tol=1e-9)": ["f(math.pi)"],
    "def check(candidate):\n    assert candidate(1) == 1\ncheck(f)": ["f(1)"],
    "def check(candidate):\n    assert candidate(1) == 1": ["f(1)"],
    "from answers import f\ndef test_it():\n    got = f(1)\n    assert got == 2\n    assert len(got) == 3": ["f(1)"],
    "assert f(f(1)) == 2": ["f(f(1))"],
    "assert [x + 1 for x in f(2)] == [1]": ["f(2)"],
    "assert all(abs(a - b) < 0.1 for a, b in zip(f(1), [1.0]))": ["f(1)"],
    "METADATA = {'a': 1}\nassert f() == 1": ["f()"],
    "assert f(int, Pair(1)) == 1": ["f(int, Pair(1))"],
    "if __name__ == '__main__':\n    import unittest\n    unittest.main()\nassert f(1)": ["f(1)"],
}


@pytest.mark.parametrize("script", TRANSLATED)
def test_calls_are_cut_out(script: str) -> None:
    """Exactly the calls of the program go inside, with nothing of what is expected."""
    assert TRANSLATED[script] == [call["expr"] for call in plan(script).calls]


def test_loops_are_walked_with_their_values() -> None:
    """A loop over known values becomes a case per value, each call with its own inputs."""
    found = plan("for n, want in [(1, 2), (3, 4)]:\n    assert f(n) == want")
    assert [{"n": 1}, {"n": 3}] == [call["env"] for call in found.calls]
    assert [True, False] == holds(found, [2, 5])


REFUSED = [
    "import random\nassert f(random.random()) < random.random()",
    "x = [2, 1]\nf(x)\nassert x == [1, 2]",
    "q = f()\nq.push(1)\nassert q.pop() == 1",
    "try:\n    f(1)\nexcept ValueError:\n    pass",
    "class Helper:\n    size = 1\nassert f(Helper) == 1",
    "def helper(x):\n    return x + 1\nassert helper(f(1)) == 2",
    "assert same(f(1), 2)",
    "assert f(1) == g(1)",
    "assert f(1) == expected",
    "assert [f(x) for x in range(3)] == [0, 1, 2]",
    "y = f(1)\nassert f(y) == 2",
    "import numpy as np\nassert np.allclose(f(1), 2)",
    "assert sorted(f(1), key=lambda x: -x) == [1]",
    "for x in f(1):\n    assert x == 1",
    "while f(1):\n    assert f(2) == 1",
]


@pytest.mark.parametrize("script", REFUSED)
def test_what_does_more_is_left_to_the_script(script: str) -> None:
    """Chance, effects, objects, helpers and values that come from the program itself are not taken apart."""
    with pytest.raises(UntranslatableError):
        plan(script)


def test_exceptions_are_asked_for() -> None:
    """`pytest.raises` and `assertRaises` become cases that a value does not satisfy."""
    found = plan("import pytest\ndef test_it():\n    with pytest.raises((ValueError, KeyError)):\n        f(1)")
    assert [(("ValueError", "KeyError"), False)] == [(case.raises, case.holds({})) for case in found.cases]


UNITTEST = {
    "assertEqual(f(1), 2)": ([2], [3]),
    "assertAlmostEqual(f(1), 0.3)": ([0.1 + 0.2], [0.31]),
    "assertIn(f(1), [1, 2])": ([1], [3]),
    "assertIsNone(f(1))": ([None], [0]),
    "assertFalse(f(1), 'message')": ([False], [True]),
    "assertCountEqual(f(1), [2, 1])": ([[1, 2]], [[1, 1]]),
    "assertIsInstance(f(1), int)": ([1], ["1"]),
}


@pytest.mark.parametrize("call", UNITTEST)
def test_unittest_methods_mean_their_assertion(call: str) -> None:
    """Each method holds of a right answer and not of a wrong one."""
    found = plan(f"import unittest\nclass T(unittest.TestCase):\n    def test_it(self):\n        self.{call}")
    right, wrong = UNITTEST[call]
    assert ([True], [False]) == (holds(found, right), holds(found, wrong))


@given(
    st.integers(-50, 50),
    st.integers(-50, 50),
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "//", "%"]),
)
def test_evaluation_is_python(left: int, right: int, operator: str) -> None:
    """Operators give what Python gives, errors included."""
    text = f"({left}) {operator} ({right})"
    try:
        expected = eval(text)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            evaluate(ast.parse(text, mode="eval").body, {})
    else:
        assert expected == evaluate(ast.parse(text, mode="eval").body, {})


EXPRESSIONS = [
    "sorted({3, 1, 2})[::-1]", "[*range(3), *'ab']", "'a,b'.split(',')", "{'a': 1}.get('b', 2)", "1 if [] else (2, 3)",
    "max([1, 5, 2], default=0)", "sum(x * x for x in range(5) if x % 2)", "'x' * 3 + str(2.50)", "not (1 < 2 < 3)",
    "round(2.567, 2)", "isinstance(True, int)", "len({1, 2} | {3})", "-7 // 2, -7 % 3, 2 ** 10, ~5, 6 & 3, 1 << 4",
    "any([]) or all([])", "divmod(7, 2)", "list(zip('ab', [1, 2]))", "type(1) == int", "3 in (1, 2, 3)", "None is None",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_are_python(text: str) -> None:
    """What the evaluator knows it evaluates as Python does."""
    assert eval(text) == evaluate(ast.parse(text, mode="eval").body, {})


UNKNOWN = [
    "__import__('os')", "open('/etc/passwd')", "(1).__class__", "''.join.__self__", "[].append(1)", "print(1)",
    "10 ** 10 ** 10", "'x' * 10 ** 10", "1 << 10 ** 10", "range(10 ** 12)", "(lambda: 1)()", "f'{1}'", "'%s' % 1",
    "'{0.__class__}'.format(1)", "[x for x in range(10 ** 6) for y in range(10 ** 6)]", "sum(range(10 ** 6 + 1))",
    "getattr(1, 'real')", "'a' is 'a'", "[x for x in range(999999)]",
]  # fmt: skip


@pytest.mark.parametrize("text", UNKNOWN)
def test_everything_else_is_unknown(text: str) -> None:
    """Attributes, imports, calls off the list and towers of powers are not evaluated."""
    with pytest.raises(UnknownError):
        evaluate(ast.parse(text, mode="eval").body, {})


@settings(max_examples=200)
@given(st.text(alphabet="assertf()=[]{}123 .,:'\n+-*<>defcheckxlambdain", max_size=80))
def test_any_text_is_translated_or_refused(text: str) -> None:
    """No arrangement of the characters of tests raises anything else."""
    try:
        tests = read_tests({"tests": text})
        if tests is not None:
            found = translate(tests, "f")
            assert all(isinstance(call["env"], dict) for call in found.calls)
            called(tests.tree), asserts(tests.tree), unchecked(tests.tree)
    except (SyntaxError, UntranslatableError):
        pass


def test_tests_are_read_where_data_sets_keep_them() -> None:
    """A list of lines or one source, with setup and entry point, under the names in use."""
    found = read_tests({"test_list": ["assert f(1)", "assert f(2)"], "test_setup_code": "x = 1", "entry_point": "f"})
    assert found is not None
    assert ("assert f(1)\nassert f(2)", "x = 1", "f") == (found.script, found.setup, found.entry)
    assert read_tests({"tests": [], "test": None}) is None


def test_constants_are_plain() -> None:
    """An input that cannot cross as data is not handed over."""
    with pytest.raises(UntranslatableError):
        plan("x = type(1)\nassert f(x) == 1")
    assert plain.DEPTH == 64
