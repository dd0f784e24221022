"""The sandbox: the floor holds, answers are data, limits are kept, and nothing outlives a run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.verifiers.sandbox import landlock, plain, seccomp
from holdfast.verifiers.sandbox.limits import MEGABYTE, Limits
from holdfast.verifiers.sandbox.pool import Job, Pool, Ran
from holdfast.verifiers.sandbox.worker import NoSandboxError
from tests.conftest import missing
from tests.contracts.source import ROOT

SHORT = Limits(cpu_seconds=1, wall_seconds=20.0)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """One warm process for the tests of this file."""
    found = Pool(size=1)
    yield found
    found.close()


def job(source: str, *calls: str, limits: Limits = SHORT, **more: object) -> Job:
    """A program and expressions to evaluate in it."""
    return Job({"sources": [source], "calls": [{"expr": call, "env": {}} for call in calls], **more}, limits=limits)


def answers(ran: Ran) -> list[dict]:
    """Its answers after the line about loading."""
    return [json.loads(line) for line in ran.lines()[1:]]


def raised(pool: Pool, source: str) -> str:
    """The exception that a program ends with while it is loaded, or 'nothing'."""
    load = json.loads(pool.run([job(source)])[0][0].lines()[0])["load"]
    return load["raised"][0] if load else "nothing"


REFUSED = {
    "read a file": "open('/etc/passwd')",
    "read the interpreter": "import sys\nopen(sys.executable, 'rb').read(1)",
    "read the process table": "open('/proc/self/environ')",
    "list a folder": "import os\nos.listdir('/')",
    "write a file": "open('/tmp/x', 'w')",
    "empty a file": "import os\nos.open('/dev/null', os.O_RDONLY)\nos.truncate('/dev/null', 0)",
    "make a folder": "import os\nos.mkdir('/tmp/x')",
    "remove a file": "import os\nos.unlink('/tmp/x')",
    "rename a file": "import os\nos.rename('/tmp/x', '/tmp/y')",
    "link a file": "import os\nos.symlink('/etc/passwd', '/tmp/x')",
    "change a mode": "import os\nos.chmod('/dev/null', 0o777)",
    "fork": "import os\nos.fork()",
    "start a process": "import subprocess\nsubprocess.run(['/bin/true'])",
    "replace itself": "import os\nos.execv('/bin/true', ['true'])",
    "spawn": "import os\nos.posix_spawn('/bin/true', ['true'], {})",
    "signal another": "import os\nos.kill(os.getppid(), 0)",
    "signal by descriptor": "import os, fcntl, signal\nr, w = os.pipe()\nfcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())",
    "open a socket": "import socket\nsocket.socket()",
    "open a datagram pair": "import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "make memory files": "import os\nos.memfd_create('x')",
    "limit another process": "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))",
    "become another user": "import os\nos.setuid(1)",
    "leave its session": "import os\nos.setsid()",
    "change the priority of all": "import os\nos.setpriority(os.PRIO_USER, 0, 5)",
    "raise its own limits": "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))",
    "write more than nothing": "open('/dev/shm/x', 'w').write('x')",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_program_may_not_do_is_refused(pool: Pool, what: str) -> None:
    """Each attempt ends in an exception, the next program runs."""
    allowed = ("PermissionError", "FileNotFoundError", "OSError", "ValueError")
    assert raised(pool, REFUSED[what]) in allowed
    assert "nothing" == raised(pool, "pass")


ALLOWED = {
    "threads": "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
    "a loop of events": "import asyncio\nasync def f(): await asyncio.sleep(0)\nasyncio.run(f())",
    "late imports": "def f():\n    import xml.etree.ElementTree, sqlite3, calendar\nf()",
    "packages": "import numpy\nnumpy.ones(3).sum()",
    "time zones": "import zoneinfo, datetime\ndatetime.datetime.now(zoneinfo.ZoneInfo('UTC'))",
    "chance": "import random, secrets, uuid\nrandom.random(), secrets.token_hex(), uuid.uuid4()",
    "a deep stack": "import sys\nsys.setrecursionlimit(20000)\ndef f(n): return n and f(n - 1)\nf(15000)",
    "the sink": "open('/dev/null', 'w').write('x')",
    "signals of its own": (
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.raise_signal(signal.SIGALRM)"
    ),
    "lower limits": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (10, 10))",
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_honest_programs_do_works(pool: Pool, what: str) -> None:
    """The floor does not break what right solutions use."""
    assert "nothing" == raised(pool, ALLOWED[what])


def test_nothing_of_ours_is_in_its_environment(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the verifier's environment is in no program's, nor is the place of its checkout."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-CANARY")
    fresh = Pool(size=1)
    try:
        said = answers(fresh.run([job("import os, sys", "str(dict(os.environ)) + str(sys.path)")])[0][0])[0]["value"]
    finally:
        fresh.close()
    assert ("CANARY" in said, "PYTHONPATH" in said, str(Path.cwd()) in said.replace(sys.prefix, "")) == (False,) * 3


FATES = {
    "timeout": "while True: pass",
    "output-limit": "while True: print('x' * 10_000)",
    "crashed": "import ctypes\nctypes.string_at(0)",
    "ended": "import os\nos._exit(0)",
}


@pytest.mark.parametrize("fate", FATES)
def test_fates(pool: Pool, fate: str) -> None:
    """An endless program, a flood, a fault in native code and one that leaves are told apart."""
    assert fate == pool.run([job(FATES[fate])])[0][0].fate


def test_a_program_that_waits_meets_the_wall_clock(pool: Pool) -> None:
    """Sleeping costs no processor time; the wide net ends it."""
    limits = Limits(cpu_seconds=1, wall_seconds=1.0)
    assert "timeout" == pool.run([job("import time\ntime.sleep(60)", limits=limits)])[0][0].fate


def test_memory_is_bounded(pool: Pool) -> None:
    """More than the limit is an exception in the program, not a burden on the machine."""
    assert "MemoryError" == raised(pool, "x = bytearray(2 << 30)")


def test_output_is_cut(pool: Pool) -> None:
    """Of output without end only the beginning is kept."""
    ran = pool.run([job("import os\nwhile True: os.write(1, b'x' * 65536)")])[0][0]
    assert (65_536, "output-limit") == (len(ran.output), ran.fate)


def test_answers_are_cut_too(pool: Pool) -> None:
    """An answer of any size is bounded where it is read."""
    limits = Limits(cpu_seconds=5, answers=MEGABYTE)
    ran = pool.run([job("", "'x' * 100_000_000", limits=limits)])[0][0]
    assert ("output-limit", 65_536) == (ran.fate, len(ran.answers))


def test_no_process_outlives_its_pool() -> None:
    """Closing in the middle of a run leaves none of its processes."""
    pool = Pool(size=2)
    pool.run([job("", "1")] * 4)
    groups = [worker.process.pid for worker in pool.workers]
    pool.close()
    while alive := [group for group in groups if living(group)]:
        time.sleep(0.01)
    assert [] == alive


def living(group: int) -> list[str]:
    """The processes of a group that are more than a name waiting to be reaped."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, leader = path.read_text("utf-8").rpartition(")")[2].split()[:3]
            found += [str(path)] if int(leader) == group and state != "Z" else []
    return found


def test_a_warm_process_that_dies_is_replaced(pool: Pool) -> None:
    """Killed from outside, it costs a restart and no verdict."""
    pool.run([job("", "1")])
    pool.workers[0].process.kill()
    pool.workers[0].process.wait()
    assert [{"value": 2}] == answers(pool.run([job("", "1 + 1")])[0][0])


def test_one_program_sees_nothing_of_another(pool: Pool) -> None:
    """Neither names nor modules nor the text of an earlier program are left in the next."""
    pool.run([job("import builtins\nbuiltins.left = 'kestrel-wombat'", "left")])
    source = (
        "import gc\nheld = [x for x in gc.get_objects() if isinstance(x, (dict, list, tuple))]\n"
        "found = '-'.join(['kestrel', 'wombat']) in ''.join(map(repr, held))"
    )
    said = answers(pool.run([job(source, "found", "hasattr(__builtins__, 'left')")])[0][0])
    assert [{"value": False}, {"value": False}] == said


WITHOUT = """
import errno, json
from holdfast.verifiers.sandbox import libc, seccomp
from holdfast.core.record import Record
libc.prctl(libc.SET_NO_NEW_PRIVILEGES, 1)
deny = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (6, 0, 0, 0x50000 | errno.ENOSYS), (6, 0, 0, 0x7FFF0000)]
seccomp.apply(deny)
from holdfast.verifiers.code import CodeCheck
record = Record("r", "", "def f(): return 1", fields={"tests": ["assert f() == 1"]})
for unsafe in (False, True):
    check = CodeCheck(unsafe=unsafe)
    verdict = check(record)
    check.close()
    print(json.dumps([verdict.ok, verdict.reason, dict(verdict.evidence)]))
"""


def test_without_the_floor_nothing_runs_unless_asked_for() -> None:
    """On a kernel without Landlock (here told so) the verdict is none, in clear words; unsafe ones are labelled."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, check=True)
    refused, unsafe = [json.loads(line) for line in done.stdout.splitlines()]
    assert [None, "no-sandbox"] == refused[:2]
    assert "Landlock" in refused[2]["missing"][0]
    assert [True, "correct", "none"] == [*unsafe[:2], unsafe[2]["sandbox"]]


AS_NOBODY = """
import os
from holdfast.verifiers.sandbox.pool import Job, Pool
pool = Pool(size=1)
print(os.getuid(), pool.layers()["seccomp"], pool.layers()["landlock"] > 0)
program = {"sources": ["import os"], "calls": [{"expr": "os.fork()", "env": {}}]}
print(pool.run([Job(program)])[0][0].lines()[1].decode())
pool.close()
"""


def test_an_ordinary_user_has_the_same_floor() -> None:
    """No root: the same refusals as nobody, with the system's interpreter and no package at all."""
    if os.getuid() != 0 or shutil.which("setpriv") is None or not Path("/usr/bin/python3").exists():
        missing("root with setpriv and /usr/bin/python3")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder).chmod(0o755)
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
        command = [*user, "env", "-i", f"PYTHONPATH={folder}", "/usr/bin/python3", "-c", AS_NOBODY]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/")
    assert b"65534 True True" in done.stdout, done.stderr
    assert b"PermissionError" in done.stdout


def test_the_filter_is_the_same_on_both_architectures() -> None:
    """Each table ends in a refusal, refuses another architecture first, and every way through a guard returns."""
    for machine in ("x86_64", "aarch64"):
        program = seccomp.program(42, machine, may_truncate=False)
        assert (6, 0, 0, 0x80000000) == program[2]
        assert (6, 0, 0, 0x00050001) == program[-1]
        for place, (operation, yes, no, _) in enumerate(program):
            assert operation != 0x15 or place + 1 + max(yes, no) < len(program)


def test_this_kernel_has_landlock() -> None:
    """Where these tests run in CI the floor is there; a zero here means that nothing above was shown."""
    assert landlock.version() >= 1


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=4)
    | st.sets(st.integers() | st.text(), max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(DATA)
def test_plain_data_crosses_unchanged(value: object) -> None:
    """What goes in comes out, of the same types; NaN counts as itself."""
    back = plain.decode(plain.loads(plain.dumps(plain.encode(value))))
    assert _typed(value) == _typed(back)


def _typed(value: object) -> object:
    """A value with the types of all its parts, in an order of its own where it has none."""
    if isinstance(value, dict):
        return "dict", [(key, _typed(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | set):
        parts = [_typed(item) for item in value]
        return type(value).__name__, sorted(parts, key=repr) if isinstance(value, set) else parts
    return type(value).__name__, repr(value)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=10
    )
)
def test_any_json_is_read_or_refused(form: object) -> None:
    """A forged line becomes plain data or a refusal, never anything else."""
    with suppress(plain.NotPlainError):
        plain.encode(plain.decode(form))


@pytest.mark.parametrize(
    "line",
    [
        b"NaN",
        b"[" * 100_000,
        b'{"a":1,"b":2}',
        b"{",
        b"\xff",
        b'{"int":"zz"}',
        b'{"range":[1,2,0]}',
        b'{"fraction":"1/0"}',
    ],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    """Endless nesting, NaN, wrong tags, wrong text."""
    with pytest.raises(plain.NotPlainError):
        plain.decode(plain.loads(line))


def test_what_is_too_deep_or_an_object_is_not_plain() -> None:
    """An object, a list in itself and an endless iterator are no data."""
    loop: list[object] = []
    loop.append(loop)
    for value in (object(), loop, iter(int, 1)):
        with pytest.raises(plain.NotPlainError):
            plain.encode(value)


def test_missing_layers_are_named() -> None:
    """The error says what is missing and what to do."""
    text = str(NoSandboxError(["Landlock"]))
    assert ("Landlock" in text, "--unsafe-no-sandbox" in text) == (True, True)


@pytest.mark.parametrize(
    "form",
    [
        {"fraction": "1e999999999"},
        {"fraction": "1/0"},
        {"decimal": "1e5000000"},
        {"range": [0, 10**10, 1]},
        {"set": [{"int": hex(k * (2**61 - 1))} for k in range(30_000)]},
        {"dict": [[{"int": hex(k * (2**61 - 1))}, 0] for k in range(30_000)]},
    ],
    ids=["fraction", "zero", "decimal", "range", "set", "dict"],
)
def test_no_answer_takes_the_reader_long(form: object) -> None:
    """A short line that stands for hours of work or a full memory is refused before any of it is done."""
    with pytest.raises(plain.NotPlainError):
        plain.decode(form)


def test_ordinary_numbers_and_sets_still_cross() -> None:
    """Fractions, decimals, ranges and sets of a size that people test with are read as they were written."""
    for value in (
        Fraction(-7, 3),
        Decimal("1.50"),
        range(3, 9, 2),
        set(range(5_000)),
        {n: str(n) for n in range(2_000)},
    ):
        assert value == plain.decode(plain.loads(plain.dumps(plain.encode(value))))
