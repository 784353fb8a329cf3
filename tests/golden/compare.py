"""Exact comparison of a table of fractions with a table of published doubles.
A share is right when it is the fraction rounded to 12 decimals; there is no other tolerance."""

from fractions import Fraction

# Half a unit of the twelfth decimal, and room for a double's own last bits, which are larger above 1; nothing of a
# table's own error fits in it.
HALF_UNIT = Fraction(1, 2 * 10**12)
LAST_BITS = Fraction(1, 10**15)


def fraction(cell: str | None) -> Fraction | None:
    """'a/b' as an exact fraction; None stays None."""
    return None if cell is None else Fraction(cell)


def is_same(expected: object, published: object) -> bool:
    """Equal as integers, strings or nulls; a Fraction equals the double that is it, rounded to 12 decimals."""
    if isinstance(expected, Fraction) and isinstance(published, float):
        room = HALF_UNIT + LAST_BITS * max(1, abs(expected))
        return published == round(published, 12) and abs(Fraction(published) - expected) <= room
    return expected == published


def differences(expected: dict[tuple, dict], published: dict[tuple, dict]) -> list[str]:
    """One line for every row that only one side has and for every value that differs; empty when the tables agree."""
    lines = [f"{key}: expected, but not published" for key in sorted(expected.keys() - published.keys(), key=str)]
    lines += [f"{key}: published, but not expected" for key in sorted(published.keys() - expected.keys(), key=str)]
    for key in sorted(expected.keys() & published.keys(), key=str):
        lines += [
            f"{key} {column}: expected {value}, published {published[key][column]}"
            for column, value in expected[key].items()
            if not is_same(value, published[key][column])
        ]
    return lines
