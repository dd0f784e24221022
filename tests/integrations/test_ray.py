"""Ray: the same bytes as the local runner on a real cluster, whatever is killed; no open cluster is used unasked."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bench.ray_cluster import ROOT, Cluster, cluster
from holdfast.core import reader
from holdfast.core.engine import LocalRunner, Runner, Stage, map_shards
from holdfast.core.errors import ConservationError, MissingExtraError, UsageError
from holdfast.core.exchange import Exchange, exchanged
from holdfast.core.reader import read
from holdfast.core.runners import runner_of
from holdfast.core.settings import Filters, load
from holdfast.dedup.exact import compared, exact_duplicates, exact_in_buckets, keyed
from holdfast.workflows.audit import AuditOptions, audit
from holdfast.workflows.filter import STAGES, FilterOptions, filter_files
from holdfast.workflows.generate import GenerateOptions, generate
from holdfast.workflows.mix import mix
from holdfast.workflows.mix_options import MixOptions
from holdfast.workflows.verify import VerifyOptions, verify_files, without_secrets
from tests.conftest import missing
from tests.core.killing import dies_half_written
from tests.integrations import records

# One cluster serves all tests. This process is its driver, and Ray ends a driver whose node is gone: so it is a process
# of its own (`make test-ray`) that takes nothing with it.
pytestmark = pytest.mark.cluster
COUNT, SHARD = 1_200, 200
SETTINGS = """
version: 1
real: [{path: real.jsonl, map: {prompt: question, response: answer}}]
generators: [{use: procedural, family: arithmetic, tasks: [shopping, rates]}]
cells: {grid: {difficulty: [easy, hard]}, quota: 60}
checks: [math]
"""


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of a head and two nodes."""
    if find_spec("ray") is None:
        missing("the extra [ray]")
    with cluster(tmp_path_factory.mktemp("ray")) as made:
        yield made


@pytest.fixture(scope="session")
def ray(running: Cluster) -> Iterator[Runner]:
    """The runner of the cluster; this process is its driver."""
    before = dict(os.environ)
    os.environ["MY_RAY_TOKEN"] = running.token
    yield runner_of(f"{running.runner},token_env=MY_RAY_TOKEN")
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the records are."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "holdfast.yaml").write_text(SETTINGS)
    return {**records.write(folder, COUNT), "settings": folder / "holdfast.yaml"}


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "SHARD_ROWS", SHARD)


def audited(runner: Runner, files: dict[str, Path], out: Path) -> None:
    """Audit against anchor and held-out set, and write the report into `out`."""
    out.mkdir()
    report = audit(files["data"], real=files["real"], eval=files["held"], options=AuditOptions(runner=runner))
    (out / "report.json").write_text(report.to_json())


def filtered(runner: Runner, files: dict[str, Path], out: Path) -> None:
    """Take out what is held out, personal or repeated."""
    filter_files([files["data"]], out, FilterOptions(Filters(), (files["held"],), runner=runner))


def verified(runner: Runner, files: dict[str, Path], out: Path) -> None:
    """Check the sums."""
    verify_files([files["data"]], out, VerifyOptions(("math",), runner=runner))


def mixed(runner: Runner, files: dict[str, Path], out: Path) -> None:
    """Mix under a cap that binds, without what is held out."""
    mix([files["real"]], [files["data"]], out, MixOptions(0.3, held_out=(files["held"],), runner=runner))


def generated(runner: Runner, files: dict[str, Path], out: Path) -> None:
    """Make sums for two cells."""
    generate(load(files["settings"]), out, GenerateOptions(runner=runner))


def told(folder: Path) -> dict[str, Any]:
    """Everything that a verb wrote, without what tells where (runner) and how fast (ms) it was done."""
    found: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(folder)), path.read_bytes()
        if path.name == "manifest.json":
            found[name] = {key: each for key, each in json.loads(content).items() if key not in ("runner", "digest")}
            found[name].get("digests", {}).pop("verdicts.jsonl", None)
        elif path.name == "verdicts.jsonl":
            found[name] = [{**json.loads(line), "ms": None} for line in content.splitlines()]
        else:
            found[name] = content
    return found


@pytest.fixture(scope="session")
def here(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the filter writes in one process of this machine."""
    out = tmp_path_factory.mktemp("here") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "SHARD_ROWS", SHARD)
        filtered(LocalRunner(1), files, out)
    return told(out)


def test_the_filter_gives_the_bytes_of_the_local_runner(
    ray: Runner, files: dict[str, Path], here: dict[str, Any], tmp_path: Path
) -> None:
    """Held-out text, personal data, exact and near-duplicates: the same records, reasons and evidence."""
    filtered(ray, files, tmp_path / "out")
    assert here == told(tmp_path / "out")
    assert {"eval-contamination", "exact-duplicate", "near-duplicate"} <= set(here["manifest.json"]["reasons"])


@pytest.mark.parametrize("verb", [audited, verified, mixed, generated])
def test_every_other_heavy_verb_gives_the_bytes_of_the_local_runner(
    verb: Callable[..., None], ray: Runner, files: dict[str, Path], tmp_path: Path
) -> None:
    """Six shards on two nodes: report, records, reasons and manifest are those of one process of this machine."""
    for name, runner in (("local", LocalRunner(1)), ("ray", ray)):
        verb(runner, files, tmp_path / "out")
        (tmp_path / "out").rename(tmp_path / name)  # a card names the folder that it was made for
    assert told(tmp_path / "local") == told(tmp_path / "ray")
    if verb is not audited:
        assert "ray" == json.loads((tmp_path / "ray/manifest.json").read_bytes())["runner"]


@pytest.mark.parametrize("phase", ["map", "reduce"])
def test_half_written_parts_of_killed_tasks_are_never_read(
    phase: str, ray: Runner, files: dict[str, Path], tmp_path: Path
) -> None:
    """A worker is killed with half a part on disk, in map and in reduce: the parts are made again and nothing of the
    half is in the result.
    """
    data = read([files["data"]], spool=tmp_path / "data")
    flag = str(tmp_path / "flag")
    kernels = {"map": keyed, "reduce": compared}
    kernels[phase] = partial(dies_half_written, flag=flag, kernel=kernels[phase])
    np.save(tmp_path / "priority.npy", np.zeros(data.rows, np.int8))
    params = {"priority": tmp_path / "priority.npy"}
    stage = Exchange("s", tmp_path, kernels["map"], kernels["reduce"], "low", 4, params, ("prompt", "response"))
    tables = pa.concat_tables(exchanged(stage, data.shards, ray)).sort_by("record")
    digests = keyed(data.take(range(data.rows)))
    keys = np.stack([digests.column("low").to_numpy(), digests.column("high").to_numpy()], axis=1)
    expected = exact_duplicates(keys).representative
    assert (True, list(range(data.rows))) == (Path(flag).exists(), tables.column("record").to_pylist())
    assert expected.tolist() == tables.column("representative").to_pylist()
    assert list((tmp_path / "s").glob(".*"))  # the half is there, and nobody took it for a part


def test_exact_duplicates_in_buckets_are_those_of_one_machine(
    ray: Runner, files: dict[str, Path], tmp_path: Path
) -> None:
    """Records that meet in buckets on a cluster have the representatives of one sort in memory, by priority."""
    data = read([files["data"]], spool=tmp_path / "data")
    priority = np.random.default_rng(7).integers(0, 3, data.rows)
    digests = keyed(data.take(range(data.rows)))
    keys = np.stack([digests.column("low").to_numpy(), digests.column("high").to_numpy()], axis=1)
    expected = exact_duplicates(keys, priority)
    found = exact_in_buckets(data, tmp_path, ray, priority, 3)
    assert expected.beyond > 0
    assert expected.representative.tolist() == found.representative.tolist()
    # One file for each map task, whatever the number of buckets.
    assert len(data.shards) == len(list((tmp_path / "equal").glob("map-*")))


def test_a_lost_node_costs_a_retry(
    running: Cluster, ray: Runner, files: dict[str, Path], here: dict[str, Any], tmp_path: Path
) -> None:
    """A node is killed when a third of the shards is shingled: the filter ends with the bytes of the local runner."""
    killed = []

    def look(what: str, done: int, total: int) -> None:
        if what == "shingling" and done >= COUNT // 3 and not killed:
            killed.append(done)
            running.kill_node()

    options = FilterOptions(Filters(), (files["held"],), runner=ray, progress=look)
    filter_files([files["data"]], tmp_path / "ray", options)
    running.add_node()
    assert (1, here) == (len(killed), told(tmp_path / "ray"))


DRIVER = """
import os, signal, sys
from pathlib import Path
from holdfast.core import reader
from holdfast.core.runners import runner_of
from holdfast.core.settings import Filters
from holdfast.workflows.filter import FilterOptions, filter_files
reader.SHARD_ROWS = {shard}
data, held, out, runner, die = sys.argv[1:]
known = {{path: path.stat().st_mtime_ns for path in Path(out).glob("{stages}/*/shingling/part-*")}}
def look(what, done, total):
    if what == "shingling" and die == "yes" and done >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "comparing" and done == 0:
        print(len(known), all(path.stat().st_mtime_ns == time for path, time in known.items()))
filter_files([data], Path(out), FilterOptions(Filters(), (held,), runner=runner_of(runner), progress=look))
"""


def test_a_killed_driver_is_started_again_and_goes_on(
    running: Cluster, files: dict[str, Path], here: dict[str, Any], tmp_path: Path
) -> None:
    """SIGKILL of the command itself: the same command takes the committed parts and ends with the same bytes."""
    code = DRIVER.format(shard=SHARD, stages=STAGES)
    command = [sys.executable, "-c", code, str(files["data"]), str(files["held"]), str(tmp_path / "ray")]
    first, second = (
        subprocess.run(
            [*command, running.runner, die], env=running.environment, capture_output=True, text=True, check=False
        )
        for die in ("yes", "no")
    )
    assert (-signal.SIGKILL, 0) == (first.returncode, second.returncode), second.stderr
    count, kept = second.stdout.split()
    assert (True, "True") == (int(count) >= 3, kept)
    assert here == told(tmp_path / "ray")


def loses(table: pa.Table, **params: object) -> pa.Table:
    """A faulty kernel: the first row is gone."""
    return compared(table, **params).slice(1) if params else keyed(table).slice(1)


def doubles(table: pa.Table, **params: object) -> pa.Table:
    """A faulty kernel: the first row is there twice."""
    made = compared(table, **params) if params else keyed(table)
    return pa.concat_tables([made, made.slice(0, 1)])


@pytest.mark.parametrize("fault", [loses, doubles])
@pytest.mark.parametrize("phase", ["map", "reduce"])
def test_a_row_lost_or_doubled_on_a_node_ends_the_run(
    fault: Callable[..., pa.Table], phase: str, ray: Runner, files: dict[str, Path], tmp_path: Path
) -> None:
    """The conservation law holds on the cluster: the error of a task is raised where the command runs."""
    data = read([files["held"]], spool=tmp_path / "data")
    np.save(tmp_path / "priority.npy", np.zeros(data.rows, np.int8))
    kernels = {"map": keyed, "reduce": compared, phase: fault}
    params = {"priority": tmp_path / "priority.npy"}
    stage = Exchange("s", tmp_path, kernels["map"], kernels["reduce"], "low", 1, params, ("prompt", "response"))
    with pytest.raises(ConservationError, match=r"50 rows of .* became (49|51)"):
        list(exchanged(stage, data.shards, ray))


def lacks_an_extra(table: pa.Table) -> pa.Table:
    """A kernel on a node without an optional part."""
    raise MissingExtraError("numba-less", "fast")


def test_an_error_of_a_node_keeps_its_words(ray: Runner, files: dict[str, Path], tmp_path: Path) -> None:
    """What a task raises on purpose arrives as it was, with its remedy."""
    data = read([files["held"]], spool=tmp_path / "data")
    with pytest.raises(MissingExtraError, match=r"numba-less is not installed\.\n  Install it with"):
        list(map_shards(Stage("s", tmp_path, lacks_an_extra), data.shards, ray))


def test_a_missing_token_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a token there is no connection, and the message names the variable."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "NO_SUCH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="NO_SUCH_TOKEN is not set"):
        list(runner_of("ray:127.0.0.1:1,token_env=NO_SUCH_TOKEN").run(len, [("a",)]))


def test_no_secret_is_in_what_nodes_are_handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ${NAME} filled into the settings of a model does not travel."""
    monkeypatch.setenv("SECRET", "sesame-open")
    path = tmp_path / "holdfast.yaml"
    path.write_text("models: {m: {base_url: 'http://u:${SECRET}@h/v1', model: x, headers: {k: '${SECRET}'}}}\n")
    settings = load(path)
    assert ("sesame-open" in repr(settings), "sesame-open" in repr(without_secrets(settings))) == (True, False)


def test_an_open_cluster_is_refused_unless_told_otherwise(files: dict[str, Path], tmp_path: Path) -> None:
    """A cluster that asks nobody for a token: exit 2 and why; with without_token the work is done, --json is JSON.

    It is reached as a node does, and from elsewhere through its client server.
    """
    if find_spec("ray") is None:
        missing("the extra [ray]")
    with cluster(tmp_path / "ray", nodes=1, token=False) as made:
        command = [sys.executable, "-c", "from holdfast.cli.app import main; raise SystemExit(main())", "filter"]
        command += [str(files["held"]), "--json", "--out", str(tmp_path / "out"), "--runner"]
        environment = {**made.environment, "RAY_AUTH_TOKEN": "0" * 32}
        unasked, told_to = (
            subprocess.run([*command, runner], env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
            for runner in (made.runner, f"{made.from_elsewhere},without_token=yes")
        )
    assert (2, True) == (unasked.returncode, "asks nobody for a token" in unasked.stderr), unasked.stderr
    assert (0, "ray") == (told_to.returncode, json.loads(told_to.stdout)["runner"]), told_to.stderr
