"""Exact algebra of simple expressions: quotients of polynomials over the rational numbers and their square roots.

Two expressions are equal when their difference is identically zero, which is decided here without numbers that round:
square roots of different square-free integers are linearly independent over the rationals (Besicovitch 1940), and pi
is transcendental (Lindemann 1882), so that it behaves as a variable. Every operation raises `TooHardError` where it
would grow beyond its bounds or leave this field; nothing is approximated.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

# A product of square-free root and variables with their exponents, sorted by name.
Term = tuple[int, tuple[tuple[str, int], ...]]
Polynomial = Mapping[Term, Fraction]

PI = "\\pi"
# A name that begins so stands for something with relations of its own (e, i, \sin(x)): equal forms are still equal, but
# different forms prove nothing.
OPAQUE = "?"

# Bounds that no answer to a question reaches, and within which every operation takes well below a millisecond.
_MOST_TERMS = 100
_MOST_BITS = 2_000
_MOST_EXPONENT = 400
_LARGEST_ROOT = 10**8
# Two numbers further apart than this, relative to the larger, are different whatever the last written decimals stood
# for; math-verify compares decimals rounded to 6 places.
_APART = 1e-5


class TooHardError(Exception):
    """The expression leaves what is decided here."""


@dataclass(frozen=True, slots=True)
class Quotient:
    """top / bottom; the bottom is never zero."""

    top: Polynomial
    bottom: Polynomial

    def __add__(self, other: "Quotient") -> "Quotient":
        if self.bottom == other.bottom:
            return Quotient(_plus(self.top, other.top), self.bottom)
        top = _plus(_times(self.top, other.bottom), _times(other.top, self.bottom))
        return Quotient(top, _times(self.bottom, other.bottom))

    def __neg__(self) -> "Quotient":
        return Quotient({term: -factor for term, factor in self.top.items()}, self.bottom)

    def __mul__(self, other: "Quotient") -> "Quotient":
        return Quotient(_times(self.top, other.top), _times(self.bottom, other.bottom))

    def __truediv__(self, other: "Quotient") -> "Quotient":
        if not other.top:
            raise TooHardError("division by zero")
        return Quotient(_times(self.top, other.bottom), _times(self.bottom, other.top))

    @property
    def names(self) -> set[str]:
        """The variables in it, pi and opaque ones among them."""
        return {name for part in (self.top, self.bottom) for _, powers in part for name, _ in powers}

    @property
    def is_number(self) -> bool:
        """True for an exact real number: no variable but pi."""
        return self.names <= {PI}

    def rational(self) -> Fraction | None:
        """Return its value where it is plainly rational."""
        if set(self.top) <= {_ONE} and set(self.bottom) == {_ONE}:
            return self.top.get(_ONE, Fraction(0)) / self.bottom[_ONE]
        return None


_ONE: Term = (1, ())
_UNIT: Polynomial = {_ONE: Fraction(1)}


def number(value: Fraction | int) -> Quotient:
    """Return a rational number as an expression."""
    return Quotient({_ONE: Fraction(value)} if value else {}, _UNIT)


def variable(name: str) -> Quotient:
    """Return a variable as an expression."""
    return Quotient({(1, ((name, 1),)): Fraction(1)}, _UNIT)


def power(base: Quotient, exponent: int) -> Quotient:
    """Return the base to a whole exponent."""
    if abs(exponent) > _MOST_EXPONENT or (exponent <= 0 and not base.top):
        raise TooHardError("exponent")
    if exponent < 0:
        base, exponent = Quotient(base.bottom, base.top), -exponent
    result = number(1)
    while exponent:
        if exponent & 1:
            result = result * base
        exponent >>= 1
        if exponent:
            base = base * base
    return result


def root(of: Quotient, degree: int = 2) -> Quotient:
    """Return the root of a rational number that is not negative: a square root, or a root that is itself rational."""
    value = of.rational()
    if value is None or value < 0 or not 2 <= degree <= 10:
        raise TooHardError("root")
    if degree != 2:
        return number(Fraction(_whole_root(value.numerator, degree), _whole_root(value.denominator, degree)))
    if not value:
        return number(0)
    outside, inside = _square_free(value.numerator * value.denominator)
    return Quotient({(inside, ()): Fraction(outside, value.denominator)}, _UNIT)


def same(one: Quotient, other: Quotient, decimals: bool = False) -> bool | None:
    """True when two expressions are identical, False when they are not, None where neither is certain.

    With `decimals` some written number may stand for a rounded one: then only numbers far apart are different.
    """
    if not _plus(_times(one.top, other.bottom), _negative(_times(other.top, one.bottom))):
        return True
    if any(name.startswith(OPAQUE) for name in one.names | other.names):
        return None
    if not decimals:
        return False
    return False if one.is_number and other.is_number and _far_apart(one, other) else None


def _far_apart(one: Quotient, other: Quotient) -> bool:
    try:
        first = _approximate(one.top) / _approximate(one.bottom)
        second = _approximate(other.top) / _approximate(other.bottom)
    except (OverflowError, ZeroDivisionError):
        return False
    return abs(first - second) > _APART * max(1.0, abs(first), abs(second))


def _approximate(part: Polynomial) -> float:
    return math.fsum(
        float(factor) * math.sqrt(inside) * math.prod(math.pi**exponent for _, exponent in powers)
        for (inside, powers), factor in part.items()
    )


def _plus(one: Polynomial, other: Polynomial) -> Polynomial:
    return _collected([*one.items(), *other.items()])


def _negative(part: Polynomial) -> Polynomial:
    return {term: -factor for term, factor in part.items()}


def _times(one: Polynomial, other: Polynomial) -> Polynomial:
    if other == _UNIT:
        return one
    if len(one) * len(other) > _MOST_TERMS**2:
        raise TooHardError("terms")
    return _collected(
        _product(first, second, factor * by) for first, factor in one.items() for second, by in other.items()
    )


def _product(one: Term, other: Term, factor: Fraction) -> tuple[Term, Fraction]:
    # sqrt(a) sqrt(b) = g sqrt(ab / g^2) with g their greatest common divisor; ab / g^2 is square-free again.
    common = math.gcd(one[0], other[0])
    powers = dict(one[1])
    for name, exponent in other[1]:
        powers[name] = powers.get(name, 0) + exponent
    return (one[0] * other[0] // common**2, tuple(sorted(powers.items()))), factor * common


def _collected(terms: Iterable[tuple[Term, Fraction]]) -> Polynomial:
    """Add up equal terms and drop those that vanish."""
    total: dict[Term, Fraction] = {}
    for term, factor in terms:
        total[term] = total.get(term, Fraction(0)) + factor
    kept = {term: factor for term, factor in total.items() if factor}
    if len(kept) > _MOST_TERMS or any(
        max(factor.numerator.bit_length(), factor.denominator.bit_length()) > _MOST_BITS for factor in kept.values()
    ):
        raise TooHardError("size")
    return kept


def _whole_root(value: int, degree: int) -> int:
    if value.bit_length() > 1_000:  # beyond it a float has no value at all
        raise TooHardError("root")
    near: int = round(float(value) ** (1 / degree))
    for candidate in (near - 1, near, near + 1):
        if candidate**degree == value:
            return int(candidate)
    raise TooHardError("root")


@lru_cache(1024)
def _square_free(value: int) -> tuple[int, int]:
    """Return (a, b) with value = a * a * b and b square-free."""
    if value > _LARGEST_ROOT:
        exact = math.isqrt(value)
        if exact * exact == value:
            return exact, 1
        raise TooHardError("root")
    outside, inside, divisor = 1, value, 2
    while divisor * divisor <= inside:
        while inside % (divisor * divisor) == 0:
            inside //= divisor * divisor
            outside *= divisor
        divisor += 1
    return outside, inside
