"""What the code check must accept, and named corruptions and forgeries that it must refuse."""

from typing import Any

from holdfast.core.record import Record

_ADD = ["assert add(2, 3) == 5", "assert add(-1, 1) == 0", "assert add(10, -4) == 6"]
_RIGHT = "def add(a, b):\n    return a + b\n"
_WRONG = "def add(a, b):\n    return a - b\n"
_HUMANEVAL = "def check(candidate):\n    assert candidate([3, 1, 2]) == [1, 2, 3]\n    assert candidate([]) == []\n"
_PROMPT = 'def ordered(items: list) -> list:\n    """Sort the items."""\n'
_UNITTEST = (
    "import unittest\n\nclass TestAdd(unittest.TestCase):\n    def test_add(self):\n"
    "        self.assertEqual(add(2, 3), 5)\n        self.assertAlmostEqual(add(0.1, 0.2), 0.3)\n"
)
_PYTEST = (
    "import pytest\nfrom solution import half\n\ndef test_half():\n    assert half(3) == pytest.approx(1.5)\n"
    "    with pytest.raises(TypeError):\n        half('x')\n"
)
_STACK = "s = Stack()\ns.push(1)\ns.push(2)\nassert s.pop() == 2\nassert len(s) == 1\n"
_STACK_CLASS = (
    "class Stack:\n    def __init__(self):\n        self.items = []\n    def push(self, item):\n"
    "        self.items.append(item)\n    def pop(self):\n        return self.items.pop()\n"
    "    def __len__(self):\n        return len(self.items)\n"
)
_IN_PLACE = "items = [3, 1, 2]\nsort_it(items)\nassert items == [1, 2, 3]\n"
_SUMS: dict[str, Any] = {"inputs": ["2 3\n", "10 -4\n"], "outputs": ["5\n", "6\n"]}
_CALLS: dict[str, Any] = {"input_output": '{"fn_name": "add", "inputs": [[2, 3], [10, -4]], "outputs": [5, 6]}'}


def _example(response: str, prompt: str = "", **fields: Any) -> Record:
    """A record with a response and its tests."""
    return Record("example", prompt, response, fields=fields)


def _adding(response: str) -> Record:
    return _example(response, tests=_ADD)


ACCEPTS = (
    _adding(_RIGHT),
    _adding(f"Here it is:\n\n```python\n{_RIGHT}```\nIt adds."),
    _adding(f"<think>```python\n{_WRONG}```</think>\n```\n{_RIGHT}```"),
    _adding("add = lambda a, b: a + b"),
    _adding(f"import math\nfrom collections import Counter\n{_RIGHT}print('hello' * 10)\n"),
    _adding("class Sum(int):\n    pass\n\ndef add(a, b):\n    return Sum(a + b)\n"),
    _example("    return sorted(items)\n", _PROMPT, test=_HUMANEVAL, entry_point="ordered"),
    _example("return sorted(items)", _PROMPT, test=_HUMANEVAL, entry_point="ordered"),
    _example(
        "```python\ndef ordered(items: List) -> List:\n    return sorted(items)\n```",
        f"from typing import List\n\n{_PROMPT}",
        test=_HUMANEVAL,
        entry_point="ordered",
    ),
    _example("def sum(a, b): return a + b", test_list=["assert sum(10, 15) == 25", "assert sum(1, 2) == 3"]),
    _example(
        "def f(x): return {1: {x, 2.5}, 'a': (None, b'b')}", tests="assert f(3) == {'a': (None, b'b'), 1: {2.5, 3}}"
    ),
    _example(
        "def near(x): return x / 3", tests="import math\nassert math.isclose(near(1), 0.3333333333, rel_tol=1e-6)"
    ),
    _example("def near(x): return x / 3", tests="for x in range(5):\n    assert abs(near(x) - x / 3) < 1e-9"),
    _example(
        "def evens(n): yield from range(0, n, 2)",
        tests="assert list(evens(5)) == [0, 2, 4]\nassert set(evens(1)) == {0}",
    ),
    _example(_RIGHT, tests=_UNITTEST),
    _example("def half(x): return x / 2", tests=_PYTEST),
    _example(_STACK_CLASS, tests=_STACK),
    _example("def sort_it(items): items.sort()", tests=_IN_PLACE),
    _example("a, b = map(int, input().split())\nprint(a + b)", **_SUMS),
    _example("import sys\nprint(sum(map(int, sys.stdin.read().split())))\nsys.exit(0)", **_SUMS),
    _example("class Solution:\n    def add(self, a, b):\n        return a + b", **_CALLS),
)

REFUSES = {
    "wrong": _adding(_WRONG),
    "right for one case": _adding("def add(a, b): return 5"),
    "no program": _adding("It adds two numbers."),
    "no such function": _adding("def plus(a, b): return a + b"),
    "does not parse": _adding("def add(a, b) return a + b"),
    "raises": _adding("def add(a, b): raise ValueError(a)"),
    "returns nothing": _adding("def add(a, b): print(a + b)"),
    "returns text": _adding("def add(a, b): return str(a + b)"),
    "equal to everything": _adding(
        "class Any(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n"
        "def add(a, b): return Any(0)"
    ),
    "leaves with success": _adding("import os\nos._exit(0)"),
    "leaves with success when called": _adding("import os\ndef add(a, b): os._exit(0)"),
    "prints success": _adding("print('OK')\nraise SystemExit(0)"),
    "looks for the expected value": _adding(
        "import sys\ndef add(a, b):\n    frame = sys._getframe(1)\n    return frame.f_globals.get('expected', None)"
    ),
    "redefines what the test compares with": _example(
        "def abs(x): return 0\ndef near(x): return 0", tests="assert abs(near(1) - 0.33) < 0.1"
    ),
    "redefines a helper of its own as the judge": _example(
        "def same(a, b): return True\ndef f(x): return 0", tests="same = lambda a, b: a == b\nassert same(f(1), 7)"
    ),
    "puts itself where the test wants it": _example(
        "class Any:\n    def __lt__(self, other): return True\n    __gt__ = __lt__\ndef near(x): return Any()",
        tests="assert near(1) < 10\nassert near(1) > 3",
    ),
    "a list for a tuple": _example("def f(): return [1, 2]", tests="assert f() == (1, 2)"),
    "not a number": _example("def f(): return float('nan')", tests="assert f() == f()"),
    "body of another function": _example("    return items", _PROMPT, test=_HUMANEVAL, entry_point="ordered"),
    "unittest fails": _example(_WRONG, tests=_UNITTEST),
    "exception that should come does not": _example("def half(x): return 1.5", tests=_PYTEST),
    "keeps no state": _example(_STACK_CLASS.replace("append(item)", "clear()"), tests=_STACK),
    "leaves its input as it was": _example("def sort_it(items): return sorted(items)", tests=_IN_PLACE),
    "prints something else": _example("a, b = map(int, input().split())\nprint(a - b)", **_SUMS),
    "prints and then fails": _example("a, b = map(int, input().split())\nprint(a + b)\n1 / 0", **_SUMS),
    "prints more": _example("a, b = map(int, input().split())\nprint('sum', a + b)", **_SUMS),
    "wrong result": _example(_WRONG, **_CALLS),
    "uses more memory than it may": _adding("def add(a, b): return len(bytearray(1 << 32)) and a + b"),
    "prints without end": _adding("def add(a, b):\n    while True: print('x' * 10_000)"),
}
