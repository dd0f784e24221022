"""The start-up budget, in CPU seconds of the child process, so that a busy machine does not decide it."""

import os
import sys

RUNS = 7
IMPORT_SECONDS = 0.050
HELP_SECONDS = 0.200


def cpu_seconds(*arguments: str) -> float:
    """Return the least user CPU time of several runs of Python with these arguments."""
    return min(one_run([sys.executable, *arguments]) for _ in range(RUNS))


def one_run(command: list[str]) -> float:
    """Run one command silently and return its user CPU time."""
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(child, 0)
    assert 0 == os.waitstatus_to_exitcode(status), command
    return usage.ru_utime


def test_importing_the_package_is_cheap() -> None:
    """`import holdfast` costs at most 50 ms more than starting Python."""
    assert cpu_seconds("-c", "import holdfast") - cpu_seconds("-c", "pass") <= IMPORT_SECONDS


def test_help_is_quick() -> None:
    """`holdfast --help` costs at most 200 ms."""
    assert cpu_seconds("-c", "from holdfast.cli.app import main; main()", "--help") <= HELP_SECONDS
