"""The command line: finds the verb, runs it, turns errors into one message and an exit code.

Only the verb that is called is loaded, so that `holdfast --help` costs next to nothing. A verb is one module here
with an `Options` dataclass (its fields are the command line) and a `run(options) -> exit code`.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from importlib import import_module
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, TextIO, get_type_hints

from holdfast import __version__
from holdfast.core.errors import HoldfastError, UsageError, nearest

VERBS = {
    "init": "Write a starter holdfast.yaml: no key, no network.",
    "doctor": "Show what is installed and what this machine can do.",
    "plan": "Check the settings and show what a build will do.",
    "build": "Make a training set: all the steps below, then the audit.",
    "reserve": "Split a real held-out set off and seal it.",
    "generate": "Make synthetic records, cell by cell.",
    "verify": "Check records mechanically, each verdict with its reason.",
    "filter": "Take out duplicates, held-out text and personal data.",
    "judge": "Try the LLM judges: which attacks and empty answers pass.",
    "mix": "Mix real and synthetic records under a cap.",
    "review": "Ask people, in the browser; say how far they agree.",
    "lab": "Train on generated text and see what each share of it does.",
    "audit": "One verdict on any data set, with evidence and exit code.",
    "watch": "See collapse coming: one check per step of a run's log.",
    "estimate": "Estimate the synthetic share of unlabelled text.",
    "view": "Look at runs and data sets in the browser.",
    "verify-manifest": "Prove that the files of a run and its manifests agree.",
    "push": "Show what would go to a hub; with --yes send it.",
    "explain": "What a rule means, when it fires, and what to do.",
}

USAGE, BUG, INTERRUPTED = 2, 4, 130
RESUMABLE = ("build", "generate", "init", "reserve")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (contracts: 0, 1, 2, 3, 4, 130)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        return _say(overview(), 0, sys.stdout)
    if given[0] in ("-V", "--version"):
        return _say(f"holdfast {__version__}", 0, sys.stdout)
    try:
        if given[0] == "--completion":
            return _say(_completion(*given[1:2]), 0, sys.stdout)
        return _run(given[0], given[1:])
    except HoldfastError as error:
        return _say(f"error: {error}", error.exit_code)
    except KeyboardInterrupt:
        return _say("interrupted: run the same command again to go on.", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does. Nothing is wrong; keep Python from saying so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # the boundary of the program: whatever arrives here is our bug
        return _say(f"{_trace()}error: {type(error).__name__}: {error}\n  {REPORT}", BUG)


REPORT = "This is a bug of Holdfast, not of your data. Please report it; HOLDFAST_DEBUG=1 shows where it arose."


def overview() -> str:
    """Return the help of the whole program."""
    verbs = "\n".join(f"  {name:<16}{text}" for name, text in VERBS.items())
    return (
        "Build, check and watch training sets that mix synthetic and real data.\n\n"
        f"usage: holdfast VERB [OPTIONS]\n\n{verbs}\n\n"
        "holdfast VERB --help shows the options of a verb. Every verb takes --json.\n"
        "holdfast --completion bash|zsh|fish prints completion for a shell.\n"
        "Start here:  holdfast audit FILE --html report.html"
    )


def _completion(shell: str = "") -> str:
    from holdfast.cli.completion import script  # noqa: PLC0415  # the verb loader: --help need not pay for it

    return script(shell, VERBS, command).rstrip()


def _run(verb: str, rest: list[str]) -> int:
    if verb not in VERBS:
        return _say(f"error: there is no verb {verb!r}. {nearest(verb, VERBS)}", USAGE)
    from typer import Exit, Typer, TyperException  # noqa: PLC0415  # the verb loader: --help need not pay for it
    from typer.main import get_command  # noqa: PLC0415  # as above

    module = import_module(f"holdfast.cli.{verb.replace('-', '_')}")
    app = Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(verb, help=module.__doc__)(command(module.Options, module.run))
    try:
        code = int(get_command(app).main(rest, prog_name=f"holdfast {verb}", standalone_mode=False) or 0)
    except Exit as done:
        return done.exit_code
    except TyperException as error:
        return _say(f"error: {_mistyped(error, app) or error.format_message()}\n  See holdfast {verb} --help.", USAGE)
    if code == INTERRUPTED:
        # typer makes Ctrl-C an exit code of its own and says nothing; no verb returns this one.
        raise KeyboardInterrupt
    return code


def _mistyped(error: Any, app: Any) -> str:
    """Return what an unknown option was meant to be; '' for any other mistake."""
    from typer.main import get_command  # noqa: PLC0415  # as above

    wrong = getattr(error, "option_name", "")
    known = [name for option in get_command(app).params for name in option.opts if name.startswith("--")]
    return f"there is no option {wrong}. {nearest(wrong, known)}" if wrong else ""


def command(options: type[Any], run: Callable[[Any], int]) -> Callable[..., int]:
    """Return a function whose parameters are the fields of the dataclass `options`, for typer to read."""

    def call(**values: Any) -> int:
        from holdfast.core.objects import is_remote, sent  # noqa: PLC0415  # the verb loader: --help need not pay for it

        given = options(**values)
        out = getattr(given, "out", None)
        if out is None or not is_remote(out):
            return run(given)
        _refuse_resumable(options, out)
        with sent(out) as folder:
            return run(replace(given, out=folder))

    hints = get_type_hints(options, include_extras=True)
    parameters = []
    for each in fields(options):
        default = Parameter.empty if each.default is MISSING else each.default
        parameters.append(Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[each.name]))
    call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it from any function
    call.__annotations__ = hints
    return call


def _refuse_resumable(options: type[Any], out: Path) -> None:
    """Raise `UsageError` where a verb keeps in its folder what it goes on from, answers that were paid for among it."""
    verb = options.__module__.rpartition(".")[2]
    if verb in RESUMABLE:
        raise UsageError(f"{verb} keeps its place in --out and cannot do so in {out}.", "Write here, then copy.")


def _say(text: str, code: int, to: TextIO | None = None) -> int:
    (to or sys.stderr).write(f"{text}\n")
    return code


def _trace() -> str:
    return traceback.format_exc() if os.environ.get("HOLDFAST_DEBUG") else ""
