"""Labelled answers made here, right or wrong by construction, for verifiers without a labelled public set.

Each generator takes a seeded random source and yields (record, right). A wrong answer is a right one with one planted
fault that cannot be right by chance.
"""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import isqrt
from random import Random

import yaml

from holdfast.core.record import Record

Labelled = tuple[Record, bool]


def numbers(random: Random, n: int) -> Iterator[Labelled]:
    """Plain numbers as people write them; wrong ones are another number."""
    for at in range(n):
        value = Fraction(random.randint(-99_999, 99_999), random.choice((1, 1, 1, 2, 4, 5, 10, 100)))
        right = random.random() < 0.5
        given = value if right else value + random.choice((1, -1, 10, Fraction(1, 2)))
        yield _math(at, f"Let us see.\n#### {_plain(random, given)}", _plain(random, value)), right


def latex(random: Random, n: int) -> Iterator[Labelled]:
    """Boxed LaTeX of the kinds that competition answers have; wrong ones differ in one number or one bracket."""
    makers = (_fraction, _surd, _angle, _polynomial, _tuple, _interval, _set, _inequality)
    for at in range(n):
        gold, same, other = random.choices(makers, weights=(6, 3, 2, 3, 2, 2, 1, 1))[0](random)
        right = random.random() < 0.5
        response = f"Therefore the answer is $\\boxed{{{same if right else other}}}$."
        yield _math(at, response, f"${gold}$"), right


def json_answers(random: Random, n: int) -> Iterator[Labelled]:
    """Objects for one schema of five properties; wrong ones lack a key, break a bound or a type, or are cut off."""
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "items": {"type": "string"}},
            "email": {"type": "string", "pattern": "^[a-z]+@[a-z]{2}$"},
            "kind": {"enum": ["a", "b", "c"]},
        },
        "required": ["name", "age", "kind"],
        "additionalProperties": False,
    }
    for at in range(n):
        value = {"name": _word(random), "age": random.randint(0, 150), "kind": random.choice("abc")}
        value |= {"tags": [_word(random) for _ in range(3)], "email": f"{_word(random)}@ab"}
        right = random.random() < 0.5
        if not right:
            value |= random.choice(
                ({"age": 151}, {"kind": "d"}, {"email": "x"}, {"tags": [1]}, {"more": 0}, {"name": ""})
            )
        yield Record(f"json-{at}", "", json.dumps(value), fields={"schema": schema}), right


def yaml_answers(random: Random, n: int) -> Iterator[Labelled]:
    """YAML of generated data with its schema; wrong ones lack a key, hold a wrong type, or are broken."""
    schema = {"type": "object", "required": ["name", "ports"], "properties": {"ports": {"type": "array"}}}
    for at in range(n):
        data = {"name": _word(random), "ports": [random.randint(1, 9) for _ in range(3)], "note": _word(random) + ": x"}
        text, right = yaml.safe_dump(data, default_flow_style=random.random() < 0.3), random.random() < 0.5
        if not right:
            text = random.choice(
                (text.replace("ports", "port"), text.replace("ports:", "ports: x:"), text + "name: b\n")
            )
        yield Record(f"yaml-{at}", "", text, fields={"output_format": "yaml", "schema": schema}), right


def xml_answers(random: Random, n: int) -> Iterator[Labelled]:
    """XML of generated trees; wrong ones lose a tag, a quote or an escape, or gain a second root."""
    for at in range(n):
        text, right = _tree(random, 3), random.random() < 0.5
        if not right:
            last = text.rindex("</")
            text = random.choice(
                (text[:last], text + "<r/>", text[:last] + "a & b" + text[last:], text.replace('"', "", 1))
            )
        yield Record(f"xml-{at}", "", text, fields={"output_format": "xml"}), right


def csv_answers(random: Random, n: int) -> Iterator[Labelled]:
    """Tables written by a CSV writer; wrong ones lose or gain a cell, or a quote."""
    columns = ["name", "note", "count"]
    for at in range(n):
        rows = [
            [_word(random), random.choice(("a, b", 'say "x"', "two\nlines", "")), random.randint(0, 99)] for _ in "xyz"
        ]
        right, fault = random.random() < 0.5, random.randrange(3)
        if not right and fault < 2:
            rows[1] = rows[1][:2] if fault else [*rows[1], "more"]
        file = io.StringIO()
        csv.writer(file).writerows([columns, *rows])
        text = file.getvalue() + ("" if right or fault < 2 else 'x,"never closed,1')
        yield Record(f"csv-{at}", "", text, fields={"output_format": "csv", "csv_columns": columns}), right


def sql_answers(random: Random, n: int) -> Iterator[Labelled]:
    """Queries on generated tables, rewritten without changing their rows; wrong ones give other rows, as is checked."""
    for at in range(n):
        tables, bound = _shop(random), random.randint(20, 80)
        gold = f"SELECT name, price FROM item WHERE price > {bound}"
        same = random.choice((
            f"select i.name, i.price from item i where not i.price <= {bound} order by 2",
            f"SELECT name, price FROM (SELECT * FROM item) WHERE {bound} < price;",
            f"WITH x AS (SELECT id FROM item WHERE price > {bound}) SELECT name, price FROM item JOIN x USING (id)",
        ))  # fmt: skip
        other = random.choice((
            f"SELECT name, price FROM item WHERE price < {bound}", "SELECT name, price FROM item",
            f"SELECT price, name FROM item WHERE price > {bound}", f"SELECT name FROM item WHERE price > {bound}",
            f"SELECT name, price FROM items WHERE price > {bound}", f"SELECT prize FROM item WHERE price > {bound}",
        ))  # fmt: skip
        right = random.random() < 0.5
        record = Record(f"sql-{at}", "", same if right else other, fields={"db_schema": tables, "gold_sql": gold})
        if _rows(tables, gold) == "[]" or (not right and _rows(tables, other) == _rows(tables, gold)):
            continue
        yield record, right


def regex_answers(random: Random, n: int) -> Iterator[Labelled]:
    """Expressions for k digits and a letter of a class; wrong ones miss by one digit, by a class or by a bracket."""
    for at in range(n):
        digits, letters = random.randint(2, 6), random.choice(("abc", "xyz", "AB"))
        examples = {
            "must_match": ["1" * digits + letters[0], "9" * digits + letters[-1]],
            "must_not_match": ["1" * digits, "1" * (digits + 1) + letters[0], "1" * digits + "?"],
        }
        same = random.choice((f"\\d{{{digits}}}[{letters}]", f"^{'[0-9]' * digits}({'|'.join(letters)})$"))
        other = random.choice((
            f"\\d{{{digits + 1}}}[{letters}]", f"\\d*[{letters}]", f"\\d{{{digits}}}.", f"\\d{{{digits}}}[{letters}",
            f"[a-z]{{{digits}}}[{letters}]",
        ))  # fmt: skip
        right = random.random() < 0.5
        yield Record(f"regex-{at}", "", same if right else other, fields=examples), right


MADE: dict[str, Callable[[Random, int], Iterator[Labelled]]] = {
    "xml": xml_answers, "yaml": yaml_answers, "csv": csv_answers, "sql": sql_answers, "regex": regex_answers,
}  # fmt: skip


def _math(at: int, response: str, gold: str) -> Record:
    return Record(f"made-{at}", "", response, fields={"gold": gold})


def _plain(random: Random, value: Fraction) -> str:
    decimal = f"{float(value):,.2f}" if random.random() < 0.5 else f"{float(value):.2f}"
    if value.denominator == 1 and random.random() < 0.5:
        return f"{value.numerator:,}" if random.random() < 0.5 else str(value.numerator)
    return f"{value.numerator}/{value.denominator}" if random.random() < 0.2 and value.denominator > 1 else decimal


def _fraction(random: Random) -> tuple[str, str, str]:
    top, bottom, by = random.randint(1, 60), random.randint(2, 40), random.randint(2, 5)
    command = random.choice(("frac", "dfrac", "tfrac"))
    same = random.choice((f"\\{command}{{{top * by}}}{{{bottom * by}}}", f"{top}/{bottom}"))
    return f"\\frac{{{top}}}{{{bottom}}}", same, f"\\{command}{{{top + 1}}}{{{bottom}}}"


def _surd(random: Random) -> tuple[str, str, str]:
    whole, factor, inside = random.randint(1, 20), random.randint(2, 9), random.choice((2, 3, 5, 6, 7, 10))
    square = factor * factor * inside
    return f"{whole}+{factor}\\sqrt{{{inside}}}", f"{whole} + \\sqrt{{{square}}}", f"{whole} + \\sqrt{{{square + 1}}}"


def _angle(random: Random) -> tuple[str, str, str]:
    top, bottom = random.randint(1, 11), random.choice((2, 3, 4, 6, 12))
    return (
        f"\\frac{{{top}\\pi}}{{{bottom}}}",
        f"{top} \\cdot \\frac{{\\pi}}{{{bottom}}}",
        f"\\frac{{{top + 1}\\pi}}{{{bottom}}}",
    )


def _polynomial(random: Random) -> tuple[str, str, str]:
    one, two, name = random.randint(1, 9), random.randint(1, 9), random.choice("xnta")
    product = f"({name}+{one})({name}+{two})"
    return product, f"{name}^2+{one + two}{name}+{one * two}", f"{name}^2+{one + two + 1}{name}+{one * two}"


def _tuple(random: Random) -> tuple[str, str, str]:
    one, two = random.randint(-9, 9), random.randint(10, 20)
    return f"({one},{two})", f"\\left({one}, \\frac{{{2 * two}}}{{2}}\\right)", f"({two}, {one})"


def _interval(random: Random) -> tuple[str, str, str]:
    low, high = random.randint(-9, 3), random.randint(4, 20)
    return f"[{low},{high})", f"\\left[{low}, \\sqrt{{{high * high}}}\\right)", f"[{low}, {high}]"


def _set(random: Random) -> tuple[str, str, str]:
    items = random.sample(range(-20, 20), 3)
    same, other = ", ".join(map(str, items[::-1])), ", ".join(map(str, [*items[:2], 99]))
    return f"\\{{{', '.join(map(str, items))}\\}}", f"\\{{{same}\\}}", f"\\{{{other}\\}}"


def _inequality(random: Random) -> tuple[str, str, str]:
    bound = random.randint(1, 30)
    return f"x \\geq {bound}", f"{bound} \\leq x", f"x \\leq {bound}"


def _word(random: Random) -> str:
    return "".join(random.choice("abcdefghij") for _ in range(6))


def _tree(random: Random, depth: int) -> str:
    inside = "".join(_tree(random, depth - 1) for _ in range(random.randint(1, 3))) if depth else "a &lt; b"
    name = _word(random)
    return f'<{name} id="{isqrt(random.randint(1, 999))}">{inside}</{name}>'


def _shop(random: Random) -> str:
    rows = ", ".join(f"({at}, '{_word(random)}', {random.randint(1, 100)})" for at in range(12))
    return f"CREATE TABLE item (id INTEGER, name TEXT, price INTEGER); INSERT INTO item VALUES {rows};"


def _rows(tables: str, query: str) -> str:
    """The rows a query gives, or why it gives none, as text; how a made query is known to be wrong."""
    link = sqlite3.connect(":memory:")
    try:
        link.executescript(tables)
        return json.dumps(sorted(link.execute(query.rstrip(";")).fetchall(), key=repr))
    except sqlite3.Error as error:
        return str(error)
    finally:
        link.close()
