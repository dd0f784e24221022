"""A model server of the tests that judges by a rule: a real endpoint, whose opinions are known beforehand.

It reads the record from between the delimiters, as a model would, and answers in the form that is asked for. What a
text is worth is said by `worth`, a function of (prompt, response) that gives 0 to 1.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from holdfast.verifiers.probes import CONTENT_FREE, INJECTIONS, REFUSALS

Worth = Callable[[str, str], float]
# Words of the injections that a scripted judge without wits would fall for, in the order of the list.
_SPELLS = re.compile(
    r"(?i)score|full marks|perfect|maximum|output \d|highest|rated? |reviewer|calibration|excellent|better"
)


def is_attack(response: str) -> bool:
    """Tell whether an answer is one of the probes that nobody may pass."""
    spells = [text.format(top=5) for text in INJECTIONS]
    return response in (*CONTENT_FREE, *REFUSALS) or any(spell in response for spell in spells)


def honest(prompt: str, response: str) -> float:
    """Worth of the tests' own records: those that say `right` are good; an attack never is."""
    return 0.0 if is_attack(response) else float("right" in response)


def gullible(prompt: str, response: str) -> float:
    """Worth in the eyes of a judge that believes what is said to it."""
    return 1.0 if _SPELLS.search(response) else honest(prompt, response)


@dataclass
class JudgeServer:
    """Where it listens, what it was asked, and what it thinks. `first_wins` gives every pair to the first place."""

    worth: Worth = honest
    first_wins: bool = False
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON that answers one request."""
        data = self.data(body)
        wanted = body["response_format"]["json_schema"]["schema"]["properties"]
        if "better" in wanted:
            return {"better": self._better(data)}
        if "items" in wanted:
            return {"items": ["Does it answer the prompt?", "Is it right?"]}
        worth = self.worth(data["prompt"], data["response"])
        if "answers" in wanted:
            count = wanted["answers"]["minItems"]
            return {"answers": [worth >= 0.5] * count}
        scale = wanted["score"]["enum"]
        return {"score": scale[round(worth * (len(scale) - 1))]}

    def data(self, body: dict[str, Any]) -> dict[str, str]:
        """Return the record that a request is about."""
        text = body["messages"][-1]["content"]
        if text.startswith("<<<DATA"):
            return json.loads(text.split("\n")[1])
        found = re.search(r"Prompt: (.*?)\n\nResponse: (.*)\n\nRate the response", text, re.DOTALL)
        assert found is not None
        return {"prompt": found[1], "response": found[2]}

    def _better(self, data: dict[str, str]) -> str:
        if self.first_wins:
            return "first"
        one, other = (self.worth(data["prompt"], data[name]) for name in ("first", "second"))
        return "tie" if one == other else "first" if one > other else "second"


@contextmanager
def judge_server(worth: Worth = honest, *, first_wins: bool = False) -> Iterator[JudgeServer]:
    """Serve a judge on loopback until the block ends."""
    judge = JudgeServer(worth, first_wins)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            judge.asked.append(body)
            message = {"role": "assistant", "content": json.dumps(judge.answer(body))}
            usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            payload = json.dumps({"choices": [choice], "model": body["model"], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    judge.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
