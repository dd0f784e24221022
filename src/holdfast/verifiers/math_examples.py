"""What the mathematics check must accept, and named corruptions that it must refuse."""

from holdfast.core.record import Record


def _example(response: str, gold: object = None, **fields: object) -> Record:
    """A record with a response and a gold answer."""
    return Record("example", "How many?", response, fields={**fields, **({} if gold is None else {"gold": gold})})


ACCEPTS = (
    _example("3 * 4 = <<3*4=12>>12\n#### 12", "12"),
    _example("So it is \\boxed{1,234.50}.", "1234.5"),
    _example("The answer is 72 apples.", "72"),
    _example("**Answer:** 18", 18),
    _example("A: -7", "-7"),
    _example("It takes 3/4 of an hour.\n#### 3/4", "0.75"),
    _example("#### 1 1/2", "1.5"),
    _example("#### 50 %", "50"),
    _example("#### 50%", "0.5"),
    _example("#### 2.5 m", "250 cm"),
    _example("<think>is it 5? no</think>It is 6.", "6"),
    _example("$100/3$ is <<100/3=33.33>>33.33\n#### 33.33", "33.33"),
    _example("#### $\\frac{1}{2}$", "0.5"),
    _example("$x = \\frac{4}{6}$", "$\\frac{2}{3}$"),
    _example("#### Wednesday", "wednesday"),
    _example("#### 5000 m", "5 km"),
    _example("#### $1,250.00", "1250 dollars"),
    _example("#### 1.5e3", "1500"),
    _example("\\boxed{1.5 \\times 10^{-3}}", "0.0015"),
    _example("So $x = \\boxed{\\dfrac{\\sqrt{8}}{2}}$.", "$\\sqrt{2}$"),
    _example("\\boxed{\\frac{1}{1+\\sqrt{2}}}", "$\\sqrt{2}-1$"),
    _example("\\boxed{3\\frac{1}{2}}", "$\\frac{7}{2}$"),
    _example("\\boxed{\\left[0, 2\\pi\\right)}", "$[0,2\\pi)$"),
    _example("\\boxed{(x+1)^2}", "$x^2+2x+1$"),
    _example("\\boxed{\\{3, 1, 2\\}}", "$\\{1,2,3\\}$"),
    _example("\\boxed{\\left(1, -\\tfrac12\\right)}", "$(1,-\\frac{1}{2})$"),
    _example("\\boxed{\\frac{1}{2}\\text{ km}}", "$500\\text{ m}$"),
    _example("\\boxed{x \\geq 5}", "$5 \\leq x$"),
    _example("Each costs:\n3 * 4 = 12\n#### 12", "12"),
    _example("Twelve.\n#### 12", answer="4 * 3 = 12\n#### 12"),
)

REFUSES = {
    "off by one": _example("#### 13", "12"),
    "sign lost": _example("#### 7", "-7"),
    "wrong thousands": _example("#### 1,234", "12.34"),
    "percent of the wrong size": _example("#### 5%", "50"),
    "wrong unit of the same dimension": _example("#### 5 m", "5 cm"),
    "unit of another dimension": _example("#### 5 kg", "5 m"),
    "fraction upside down": _example("#### 4/3", "3/4"),
    "no answer": _example("I cannot say.", "12"),
    "empty": _example("", "12"),
    "marker without an answer": _example("It is 12.\n####", "12"),
    "gold only in passing": _example("It is not 12. #### 13", "12"),
    "wrong step, right answer": _example("3 * 4 = <<3*4=13>>13\n#### 12", "12"),
    "wrong line, right answer": _example("Each costs:\n3 * 4 = 13\n#### 12", "12"),
    "power of ten lost": _example("#### 1.5e2", "1500"),
    "root of another number": _example("\\boxed{\\sqrt{8}}", "$2\\sqrt{3}$"),
    "interval closed where it is open": _example("\\boxed{[0, 2\\pi]}", "$[0,2\\pi)$"),
    "tuple in another order": _example("\\boxed{(2, 1)}", "$(1, 2)$"),
    "element missing": _example("\\boxed{\\{1, 2\\}}", "$\\{1,2,3\\}$"),
    "sign of a term": _example("\\boxed{x^2-2x+1}", "$x^2+2x+1$"),
    "another variable": _example("\\boxed{y+1}", "$x+1$"),
    "inequality turned": _example("\\boxed{x \\leq 5}", "$x \\geq 5$"),
    "unit of another size": _example("\\boxed{\\frac{1}{2}\\text{ km}}", "$\\frac{1}{2}\\text{ m}$"),
    "rounded where the exact value is asked": _example("\\boxed{0.33}", "$\\frac{1}{3}$"),
    "wrong expression": _example("#### $\\frac{1}{3}$", "$\\frac{1}{2}$"),
    "only a part equal (1 - 1/e against 1 + 1/e)": _example(
        "$1 + \\frac{1}{\\mathrm{e}}$", "$1 - \\frac{1}{\\mathrm{e}}$"
    ),
}
