"""generate on a disk that fills up, and read while it writes: an old or a new version, or none, never a mixture."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from holdfast.core import durable
from holdfast.core.errors import StoppedError
from holdfast.core.files import digest_of
from holdfast.core.rundir import read_manifest
from holdfast.workflows.generate import GenerateOptions, generate
from tests.workflows.asking import CHECKED, echo, ledger, results, rows, settings

TRIALS = 50
READS = 1000
MEGABYTE = 2**20


def agrees(out):
    """Whether the folder shows no version, or one whose files are those of its manifest, whole."""
    manifest = read_manifest(out) if out.exists() else None
    return manifest is None or all(digest_of(out / name) == digest for name, digest in manifest["digests"].items())


class Full:
    """A disk that has no room from its step number `point` on, until it is emptied. Every step finds a true version."""

    def __init__(self, out, point):
        self.out, self.left, self.wrong = out, point, []

    def __call__(self, step, path):
        if not agrees(self.out):
            self.wrong.append((step, path.name))
        self.left -= 1
        if self.left >= 0 or step == "remove":
            return
        if "ledger" in step:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def steps(monkeypatch, run):
    """How many durable steps a run takes."""
    taken = []
    monkeypatch.setattr(durable, "watch", lambda step, path: taken.append(step))
    run()
    monkeypatch.undo()
    return len(taken)


def stop_of(run, out):
    """Generate; return what was said where it was stopped."""
    try:
        generate(run, out)
    except StoppedError as error:
        return str(error)
    return ""


def test_a_disk_full_at_any_step_stops_a_run_that_can_go_on(tmp_path, monkeypatch):
    """50 runs without room from a random step on: each ends as stopped, says so, and goes on to the same bytes."""
    drawn = Random(1)
    with echo(tmp_path) as between:
        run = settings(tmp_path, between.base_url, count=16, limits={"concurrency": 4})
        taken = steps(monkeypatch, lambda: generate(run, tmp_path / "whole"))
        wanted = results(tmp_path / "whole")
        stopped = 0
        while stopped < TRIALS:
            out, before = tmp_path / f"full-{stopped}", len(between.log())
            full = Full(out, drawn.randrange(taken))
            monkeypatch.setattr(durable, "watch", full)
            said = stop_of(run, out)
            monkeypatch.undo()
            if full.left >= 0:
                continue  # its answers came home together: a run of fewer steps, and none of them failed
            stopped += 1
            assert ("cannot be written" in said, "Free space and run the same command" in said) == (True, True), said
            assert [] == full.wrong
            assert agrees(out)
            generate(run, out)
            assert wanted == results(out)
            assert agrees(out)
            # What was in flight when the ledger was full is asked again, and nothing else.
            assert len(between.log()) - before <= 16 + 4


def mounted(folder):
    """Mount a disk of one megabyte on a folder; skip where this machine lets nobody."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("no small disk can be mounted here; the shim above stands for it")


def test_a_small_disk_stops_a_run_that_can_go_on(tmp_path):
    """The same on a real file system of one megabyte that has 8 to 110 kB left: 50 of 50 resume to the same bytes."""
    drawn, disk = Random(2), tmp_path / "disk"
    mounted(disk)
    try:
        with echo(tmp_path) as between:
            run = settings(tmp_path, between.base_url, count=30, limits={"concurrency": 4})
            generate(run, tmp_path / "whole")
            for number in range(TRIALS):
                out, ballast = disk / str(number), disk / "ballast"
                ballast.write_bytes(b"x" * (MEGABYTE - 1024 * drawn.randrange(8, 110)))
                with pytest.raises(StoppedError, match="Free space and run the same command"):
                    generate(run, out)
                assert agrees(out)
                ballast.unlink()
                generate(run, out)
                assert results(tmp_path / "whole") == results(out)
                assert 30 == ledger(out, "SELECT count(*) FROM calls WHERE answer IS NOT NULL")[0][0]
                subprocess.run(["rm", "-r", out], check=True)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def watched(out, monkeypatch):
    """Look at the folder before every durable step; return what was found wrong."""
    full = Full(out, sys.maxsize)
    monkeypatch.setattr(durable, "watch", full)
    return full.wrong


def test_every_moment_of_a_folder_s_life_shows_a_true_version(tmp_path, monkeypatch):
    """First run, again, extended, decided anew, short and made again: files never differ from the manifest beside."""
    out = tmp_path / "out"
    wrong = watched(out, monkeypatch)
    with echo(tmp_path, "500=0.4:ever") as between:
        with pytest.raises(StoppedError):
            generate(settings(tmp_path, between.base_url, count=14, limits={"attempts": 2}), out)
        assert rows(out, "failed")
    with echo(tmp_path / "well") as between:
        run = settings(tmp_path, between.base_url, count=14)
        generate(run, out)
        assert (14, False) == (len(rows(out, "kept")), (out / "failed.jsonl").exists())
        generate(run, out)
        strict = settings(tmp_path, between.base_url, count=14, checks=[f"{CHECKED}:strict"])
        generate(strict, out, GenerateOptions(redo=True))
        assert 0 < len(rows(out, "kept")) < 14
        generate(settings(tmp_path, between.base_url, count=14), out, GenerateOptions(redo=True))
        assert 14 == len(rows(out, "kept"))
    assert [] == wrong


STREAMS = {
    "generators": [{"use": "procedural", "family": "arithmetic", "tasks": ["rates", "sharing", "shopping"]}],
    "cells": {"quota": 40},
    "checks": ["math"],
}
GROWS = """
import json, sys, time
from pathlib import Path
from holdfast.core.settings import Settings
from holdfast.workflows.generate import GenerateOptions, generate
settings, out = Settings.model_validate(json.loads(sys.argv[1])), Path(sys.argv[2])
generate(settings, out)
print("go", flush=True)
while True:
    time.sleep(0.02)
    generate(settings, out, GenerateOptions(more=3))
"""


def version(out: Path):
    """Read kept.jsonl as a careful reader does: the manifest before and after, and only if it is the same one."""
    try:
        before = (out / "manifest.json").read_bytes()
        kept = out / "kept.jsonl"
        found = digest_of(kept), kept.read_bytes()
        after = (out / "manifest.json").read_bytes()
    except FileNotFoundError:
        return None
    return (json.loads(before), *found) if before == after else None


def test_who_reads_while_a_run_commits_sees_one_version(tmp_path):
    """1000 reads beside a run that is extended again and again: old or new, whole, as its manifest says; 0 mixed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", GROWS, json.dumps(STREAMS), tmp_path / "out"]
    sizes, between = [], 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as writer:
        try:
            assert b"go\n" == writer.stdout.readline()
            while True:
                assert writer.poll() is None
                found = version(tmp_path / "out")
                between += found is None
                if found is None:
                    continue
                manifest, digest, kept = found
                assert digest == manifest["digests"]["kept.jsonl"]
                assert manifest["counts"]["kept"] == len(kept.splitlines()) == len({*kept.splitlines()})
                sizes.append(len(kept.splitlines()))
                if len(sizes) >= READS and len(set(sizes)) >= 10:
                    break
        finally:
            writer.kill()
    # It was looked at between two versions, too, and versions only grow.
    assert between > 0
    assert sorted(sizes) == sizes
