"""Domain: which kind of task a record is, told from its columns and from what its prompt asks for.

Verifiable: code, math, schema, instructions, translation. Subjective: creative writing, opinion, advice; nothing
mechanical can verify those, so they belong to real data or to human review. Everything else is "other".

The rules are one table, tried from top to bottom, and prefer silence to a wrong answer: a text without a prompt is
never subjective, because nobody asked for anything. There is no model here and nothing is learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from json import dumps
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdfast.core.record import Record

Domain = Literal["code", "math", "schema", "instructions", "translation", "subjective", "other"]

DOMAINS: tuple[Domain, ...] = get_args(Domain)
VERIFIABLE: tuple[Domain, ...] = ("code", "math", "schema", "instructions", "translation")

# What a record is about shows in its first page; a long document need not be read to the end.
HEAD = 2_000
# What is asked for stands at the beginning of a prompt; further on it quotes the text that it is about.
REQUEST = 240


@dataclass(frozen=True, slots=True)
class Rule:
    """All given RE2 patterns must match.

    `fields` is held against the user's own row as JSON, `request` against the beginning of the prompt, `prompt` and
    `response` against their heads.
    """

    domain: Domain
    fields: str = ""
    request: str = ""
    prompt: str = ""
    response: str = ""


def _key(names: str, value: str = "") -> str:
    """A key of the row's JSON; a quote inside a string is escaped there, so that text cannot look like a key."""
    return rf'[{{,]\s*"(?:{names})"\s*:\s*{value}'


_NUMBER = r'(?:"\s*)?\\*[$€£]?\s*-?[0-9][0-9,]*(?:[./][0-9]+)?\s*%?(?:\s*")?\s*[,}]'
_GOLD_NUMBER = _key("gold|answer|final_answer|ground_truth|gold_answer|target", _NUMBER)
_LANGUAGES = (
    r"english|french|spanish|german|italian|portuguese|dutch|russian|chinese|mandarin|japanese|korean|arabic|hindi"
    r"|turkish|polish|swedish|greek|latin|hebrew|vietnamese|indonesian|ukrainian|czech|romanian|hungarian|finnish"
)
_CODE_LANGUAGES = (
    r"python|javascript|typescript|java|c\+\+|c#|golang|rust|ruby|php|kotlin|swift|bash|shell|powershell|sql|haskell"
    r"|scala|perl|matlab|html|css|react|numpy|pandas|regex"
)
_ASKS = "how (?:many|much|old|far|long|fast)|what (?:is|was|are|percent)|find|calculate|solve"
_MAKE = (
    r"(?:write|compose|create|craft|tell|draft|generate|invent|design|make up|com(?:e|ing) up with|give me|continue"
    r"|finish|complete|crea|escribe|schreibe?|écris)"
)
_FENCE = (
    r"(?im)^\s*```(?:py|python|js|javascript|ts|typescript|java|c|cpp|c\+\+|cs|go|rust|rb"
    r"|ruby|php|sh|bash|sql|html|css)\s*$"
)
_CODE_LINE = (
    r"def \w+\(.*\).*:|class \w+(?:\(.*\))?:|#include\s*[<\"]|from [\w.]+ import \w|import \w[\w.]*;?\s*(?:as \w+\s*)?"
    r"|(?:public|private|protected|static) [\w<>\[\] ]+[({]|package \w[\w.]*;?|using [\w.]+;|<\?php|#!/"
    r"|(?:async )?function \w*\(.*\{|(?:const|let|var) \w+ = .*[;({]|func \w*\(?.*\{|fn \w+.*\{|SELECT .+ FROM .+"
)

RULES: tuple[Rule, ...] = (
    # 1. What the row itself carries: tests, a schema, instruction ids, two languages.
    Rule("instructions", fields=_key("instruction_id_list")),
    Rule("code", fields=_key("entry_point|test_list|unit_tests|canonical_solution|test_cases")),
    Rule("code", fields=_key("tests?", r'(?:\[\s*)?"(?:[^"]*\W)?(?:assert\b|def (?:check|test)\w*\()')),
    Rule("schema", fields=_key("schema|json_schema|response_schema|response_format", r'(?:\{|"\s*\{|true|false)')),
    Rule(
        "translation",
        fields=_key(
            "source_lang|src_lang|source_language|target_lang|tgt_lang|target_language|lang_pair|language_pair"
        ),
    ),
    Rule("translation", fields=_key("lang|langs|languages", r'"[a-z]{2,3}(?:_[A-Z]{2})?(?:-|>|->|_)[a-z]{2,3}')),
    Rule("translation", fields=_key("translation", r'\{\s*"[a-z]{2,3}"\s*:')),
    # 2. Worked mathematics, or a number as the gold answer of a question that gives numbers.
    Rule("math", response=r"(?m)^#### ?[-$]?[0-9]|\\boxed\s*\{|<<[^<>\n]*[0-9]=[-0-9.]+>>"),
    Rule(
        "math",
        fields=_GOLD_NUMBER,
        prompt=rf"(?is)[0-9][^0-9]+[0-9].*(?:{_ASKS})|(?:{_ASKS}).*[0-9][^0-9]+[0-9]",
    ),
    Rule("math", fields=_GOLD_NUMBER, response="[0-9)] ?[-+*/\u00d7\u00f7] ?[$]?[0-9(][^\n]{0,60}= ?[$]?-?[0-9]"),
    Rule(
        "math",
        prompt=r"(?i)\b(?:solve|evaluate|simplify|factor|expand|compute|calculate|differentiate|integrate|prove)\b"
        r"[^\n]{0,80}(?:[0-9a-z)] ?[-+*/^=] ?[0-9(]|\\frac|\\sqrt|\\int|\bequation\b|\bderivative\b|\bintegral\b)",
    ),
    # 3. Code that is asked for or given.
    Rule("code", response=_FENCE),
    Rule(
        "code",
        prompt=rf"(?i)\b(?:write|implement|create|complete|fix|debug|refactor|make|develop|build)\b[^\n.]{{0,80}}"
        rf"(?:\b(?:{_CODE_LANGUAGES})[ -](?:function|program|script|code|class|method|query|app|snippet|module|command)"
        r"|\b(?:function|program|script|method|code|query)\b[^\n.]{0,40}\b(?:that|to|which|in|for)\b[^\n.]{0,60}"
        rf"\b(?:{_CODE_LANGUAGES}|array|list|string|integer|numbers?|tuples?|matrix|dictionary|element|tree|input)\b)",
    ),
    Rule("code", prompt=rf"(?m)^\s{{0,8}}(?:{_CODE_LINE})\s*$", response=rf"(?m)^\s{{0,8}}(?:{_CODE_LINE})\s*$"),
    Rule("code", response=rf"\A\s*(?:#[^\n]*\n\s*|//[^\n]*\n\s*)*(?:{_CODE_LINE})\s*\n"),
    # 4. Structured output and translation by request.
    Rule(
        "schema",
        prompt=r"(?i)\b(?:json|yaml|xml)\b",
        response=r"\A\s*(?:```(?:json|yaml|xml)?\s*)?(?:\{|\[\s*[\[{\"0-9]|<\?xml|---\n)",
    ),
    Rule(
        "translation",
        prompt=rf"(?i)\btranslat(?:e|ion)\b[^\n]{{0,120}}\b(?:into|to|from|in)\s+(?:the\s+)?(?:{_LANGUAGES})\b"
        rf"|\bhow (?:do you|to|would you) say\b[^\n]{{0,80}}\bin (?:{_LANGUAGES})\b",
    ),
    # 5. Work on a text that is given, whatever the text is.
    Rule(
        "other",
        request=r"(?i)\b(?:classif(?:y|ies|ication)|categori[sz]e|summar(?:y|i[sz]e)|extract|detect|identify"
        r"|proofread|correct the|check (?:if|whether)|decide (?:if|whether)|determine|predict"
        r"|user stor(?:y|ies)|duplicates)\b",
    ),
    # 6. Subjective work, only where a prompt asks for it.
    Rule(
        "subjective",
        request=rf"(?i)\b{_MAKE}\b[^\n.?!]{{0,80}}\b(?:poems?|haikus?|sonnets?|limericks?|ballads?"
        r"|stor(?:y|ies)|tales?|fables?|songs?|lyrics|rap|fan ?fic\w*|novel|screenplay|scene|monologue"
        r"|dialogue|jokes?|puns?|riddles?"
        r"|slogans?|taglines?|love letter|blog post|essay|speech|toast|eulogy|opening line|plot|parody|satire"
        r"|backstory|creative|advertisement|ad|movie review|book review|review|metaphors?|similes?|proverbs?|flavou?rs?"
        r"|conversation|video game|product description|social media|fun(?:ny)? [a-z ]{0,20}question)\b",
    ),
    Rule(
        "subjective",
        request=r"(?i)\b(?:what(?:'s| is| are)? (?:do you think|your (?:opinions?|thoughts?|views?|take|favou?rite))"
        r"|what do you (?:think|like|prefer|believe|feel)|(?:share|give|tell)(?: me| us)? your"
        r" (?:opinions?|thoughts?|views?)"
        r"|your (?:honest |personal )?opinion|let me know your thoughts|do you (?:like|prefer|believe"
        r"|agree|think|love|hate)"
        r"|what (?:are|is|would be) your (?:plans?|strategy|approach|ideal|dream)"
        r"|an? (?:time|moment) (?:when |that )?you\b|\b(?:a good idea|(?:ethical|moral) dilemma|immoral)\b"
        r"|would you rather|is it (?:worth|ethical|moral|wrong|okay|ok) to|in your (?:opinion|view))",
    ),
    Rule("subjective", prompt=r"(?i)\A\s*should (?:i|we)\b"),
    Rule(
        "subjective",
        request=r"(?i)\b(?:give me (?:some |any )?(?:advice|suggestions|tips|ideas)|any advice\b|advise me"
        r"|suggest (?:me )?(?:some|any|a few|a couple)|(?:could|can) you suggest|recomiend\w+|brainstorm\b"
        r"|pros and cons|(?:things|ways) (?:you|i|we) can do to|what cool|argue (?:for|against|that)"
        r"|make an argument|convince|persuade"
        r"|recommend (?:me|a|some|any)"
        r"|(?:how (?:can|do|should) i|help me) (?:cope|deal with|get over|feel|comfort|apologi[sz]e|impress|motivate))",
    ),
    Rule(
        "subjective",
        request=r"(?i)\b(?:escrib\w*|écri\w*|schreib\w*|scriv\w*|escrev\w*|cuéntame|raconte\w*|erzähl\w*)\b[^\n.?!]{0,60}"
        r"\b(?:poemas?|cuento|historia|canción|poèmes?|histoire|conte|chanson|gedichte?|geschichte|lied|witz|chiste"
        r"|poesia|racconto|conto|canzone)\b",
    ),
)

COLUMNS = ("fields", "request", "prompt", "response")


def domains(table: pa.Table) -> pa.Array:
    """Return the domain of each record (string), from the columns prompt, response and fields; absent ones are empty.

    Each column is read once to find the rows that any rule could mean; the rules then look at those only.
    """
    columns = {name: _head(table, name) for name in COLUMNS}
    possible = {name: _matches(columns[name], _any_of(name)) for name in COLUMNS}
    result = np.full(table.num_rows, "other", dtype=object)
    undecided = np.ones(table.num_rows, dtype=bool)
    for rule in RULES:
        rows = _rows_of(rule, columns, possible, undecided)
        result[rows] = rule.domain
        undecided[rows] = False
    return pa.array(result, pa.string())


def domain(record: Record) -> Domain:
    """Return the domain of one record: what `domains` says of it."""
    return domains_of([record])[0]


def domains_of(records: Sequence[Record]) -> list[Domain]:
    """Return the domain of each record: what `domains` says of them."""
    if not records:
        return []
    rows = {
        "prompt": [_carried(record.prompt) for record in records],
        "response": [_carried(record.response) for record in records],
        "fields": [_carried(dumps(dict(record.fields), default=str, ensure_ascii=False)) for record in records],
    }
    found: list[Domain] = domains(pa.table(rows)).to_pylist()
    return found


def _carried(text: str) -> str:
    """Return the text without lone surrogates, which Arrow does not hold."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def _rows_of(
    rule: Rule, columns: dict[str, pa.Array], possible: dict[str, np.ndarray], undecided: np.ndarray
) -> np.ndarray:
    """The rows that all patterns of the rule match, narrowed column by column."""
    patterns = {name: getattr(rule, name) for name in COLUMNS if getattr(rule, name)}
    open_rows = np.logical_and.reduce([undecided, *(possible[name] for name in patterns)])
    rows = np.flatnonzero(open_rows)
    for name, pattern in patterns.items():
        rows = rows[_matches(columns[name].take(pa.array(rows)), pattern)]
    return rows


def _any_of(name: str) -> str:
    return "|".join(f"(?:{getattr(rule, name)})" for rule in RULES if getattr(rule, name))


def _head(table: pa.Table, name: str) -> pa.ChunkedArray:
    """The whole JSON of the user's row, since its keys lie anywhere; of a text, its beginning."""
    source = "prompt" if name == "request" else name
    if source not in table.column_names:
        return pa.chunked_array([pa.array([""] * table.num_rows, pa.string())])
    column = pc.fill_null(table.column(source), "")
    return column if name == "fields" else pc.utf8_slice_codeunits(column, 0, REQUEST if name == "request" else HEAD)


def _matches(texts: pa.ChunkedArray, pattern: str) -> np.ndarray:
    found: np.ndarray = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
    return found
