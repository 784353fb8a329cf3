"""Numbers as the site writes them: shares, points, counts and a claim's value in its unit."""


def percent(share: float | None, decimals: int = 1) -> str:
    return "–" if share is None else f"{share:.{decimals}%}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign; a bare nought is where nothing moved at all."""
    return f"{difference * 100:+.1f}".replace("-", "−") if difference else "0"


def count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def parameters(number: int | None) -> str:
    """A model's size, to three digits: 7 B, 1.54 B, 270 M."""
    if not number:
        return "–"
    unit, name = next(
        ((unit, name) for unit, name in ((10**12, "T"), (10**9, "B"), (10**6, "M")) if number >= unit), (1, "")
    )
    return f"{number / unit:.3g} {name}".strip() if unit > 1 else count(number)


def claim_value(value: float | str | None, unit: str | None) -> str:
    """A claim's number with its unit: shares as per cent, dates as such, whole numbers with separators, words as they
    are."""
    if value is None or isinstance(value, str):
        return value or "–"
    if unit == "share":
        return percent(value)
    if unit == "date":
        digits = f"{value:.0f}"  # YYYYMMDD
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{number} {unit}" if unit else number
