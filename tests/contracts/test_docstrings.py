"""Every module says what it does, every test what it claims."""

import ast

from tests.contracts.source import ROOT, FunctionNode, files, place, tree


def test_every_module_opens_with_what_it_does() -> None:
    """No module of the package, the tests or the benchmarks is without a docstring."""
    written = [path for path in files("src", "tests", "bench") if path.read_text("utf-8").strip()]
    assert [] == [str(path.relative_to(ROOT)) for path in written if not ast.get_docstring(tree(path))]


def test_every_test_states_its_claim() -> None:
    """Every test function has a docstring."""
    tests = [
        (path, node)
        for path in files("tests")
        for node in ast.walk(tree(path))
        if isinstance(node, FunctionNode) and node.name.startswith("test_")
    ]
    assert [] == [(place(path, node), node.name) for path, node in tests if not ast.get_docstring(node)]
