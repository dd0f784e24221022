"""Make the two tiny models and serve both on loopback ports until Ctrl-C: python serve.py, then see README.md.

Needs the extra [local] (xllamacpp, gguf) and tokenizers; no key, no network. The first start trains for some 15 s per
model; the models are kept in a cache folder, under names that change with whatever went into them.
"""

import argparse
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO

SERVED = ("heron", "plover")
SLOTS = 8  # requests that a server decodes at once
CONTEXT = 1024  # tokens of one conversation, the answer included
HERE = Path(__file__).resolve().parent


def cached(name: str, folder: Path) -> Path:
    """Return the model file of one family below `folder`, made if it is not there yet.

    Makers that start at once wait for the first of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{_fingerprint()}.gguf"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return path
        import tiny  # noqa: PLC0415  # what it loads takes 80 MB, and only the first start needs it

        return tiny.make(next(family for family in tiny.FAMILIES if family.name == name), path)


def _fingerprint() -> str:
    """Return a digest of what decides the weights: our code, the problems, the versions of Python and libraries."""
    parts = [path.read_bytes() for path in (HERE / "tiny.py", HERE.parent / "quickstart" / "real.jsonl")]
    parts += [version(package).encode() for package in ("numpy", "tokenizers", "gguf")]
    return hashlib.blake2b(b"\0".join([*parts, sys.version.encode()]), digest_size=6).hexdigest()


def serve(name: str, folder: Path, port: int) -> None:
    """Serve one model until standard input ends, which it does when the parent is gone, however it went.

    Prints the base URL once requests are answered.
    """
    import xllamacpp  # noqa: PLC0415  # optional extra [local]

    settings = xllamacpp.CommonParams()
    settings.model.path = str(cached(name, folder))
    settings.model_alias = {name}
    settings.hostnames, settings.port = ["127.0.0.1"], port
    settings.n_parallel, settings.n_ctx = SLOTS, SLOTS * CONTEXT
    # So small a model loses more by handing work between threads than it gains.
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.warmup, settings.ui, settings.verbosity = False, False, 1
    settings.cache_ram_mib = 0
    server = xllamacpp.Server(settings)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)  # what is in flight has nobody left to be sent to


@contextmanager
def serving(folder: Path, ports: Mapping[str, int] | None = None) -> Iterator[dict[str, str]]:
    """Yield {family: base URL} of both servers, each in a process of its own; afterwards none of them is left."""
    children = {name: _start(name, folder, (ports or {}).get(name, 0)) for name in SERVED}
    try:
        yield {name: _address(name, child) for name, child in children.items()}
    finally:
        for child in children.values():
            _pipe(child.stdin).close()
        for child in children.values():
            _end(child)


def _start(name: str, folder: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "serve.py"), "--child", name, "--cache", str(folder), "--port", str(port)]
    # One thread of linear algebra each: the two train side by side, and sums come out in one order.
    here = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
    # A session of its own: Ctrl-C reaches the parent alone, which lets the children end in order.
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=here, stdin=pipe, stdout=pipe, text=True, start_new_session=True)


def _address(name: str, child: subprocess.Popen[str]) -> str:
    line = _pipe(child.stdout).readline().strip()
    if not line.startswith("http://"):
        raise RuntimeError(f"The server of {name} ended with code {child.wait()} before it listened; see above.")
    return line


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("The child was started without a pipe.")
    return stream


def _end(child: subprocess.Popen[str]) -> None:
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    _pipe(child.stdout).close()


def main() -> None:
    """Serve, print the addresses as lines for a shell, and write them to --env if given."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast" / "chat"
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=default, help="folder of the models (%(default)s)")
    parser.add_argument("--env", type=Path, help="also write the printed lines to this file, once both answer")
    parser.add_argument("--port", type=int, default=0, help="port of the first; the second is the next (any free two)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        serve(given.child, given.cache, given.port)
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    ports = {name: given.port and given.port + place for place, name in enumerate(SERVED)}
    with serving(given.cache, ports) as addresses:
        lines = "".join(f"export {name.upper()}_URL={address}\n" for name, address in addresses.items())
        sys.stdout.write(lines)
        sys.stdout.flush()
        if given.env:
            part = given.env.with_suffix(".part")
            part.write_text(lines, "utf-8")
            part.replace(given.env)
        stop.wait()


if __name__ == "__main__":
    main()
