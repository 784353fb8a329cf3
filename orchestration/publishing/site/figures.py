"""A figure: a chart with everything that a reader needs to trust it, in each reading that its switches offer.
Kinds of charts are drawn in `kinds`; which figures stand where, and what they say, is for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from orchestration.publishing.site.answers import Answer, Rows


@dataclass(frozen=True)
class Switch:
    """A choice between readings of a figure: its name in words, and each option's value with its words."""

    label: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """One reading: what is written into the chart, what it says to whoever doesn't see it, and its data.

    `data` are the rows of each named source of the kind, in the order in which names are drawn; `params` the values of the
    kind's placeholders (`@name`); `height` in pixels, where it isn't the kind's own.
    """

    title: str
    subtitle: tuple[str, ...]
    alt: str
    data: dict[str, Rows]
    params: dict[str, Any] = field(default_factory=dict)
    height: int | None = None


@dataclass(frozen=True)
class Figure:
    """A chart on a page. `views` has one view for each combination of the switches' options, `a/b` where there are two;
    the first is shown. `basis` says which coverage of the attribution stands beside it (None where nothing is attributed).
    With `is_pictured` a picture is drawn for readers without scripts: it takes a tenth of a second, and is for the story's own.
    """

    name: str
    kind: str
    heading: str
    caption: str
    definition: str
    answer: Answer
    views: dict[str, View]
    switches: tuple[Switch, ...] = ()
    basis: str | None = "new_downloads"
    is_pictured: bool = False
    csv: str | None = None  # the file in data/ that has its rows among those of all others; None: one of its own

    @property
    def first(self) -> View:
        return next(iter(self.views.values()))


def one_view(**view: Any) -> dict[str, View]:
    """The views of a figure without switches."""
    return {"": View(**view)}


def as_plain(figure: Figure, simulated: bool) -> dict[str, Any]:
    """What the page's script needs to draw it."""
    return {
        "kind": figure.kind,
        "views": {key: plain_view(view, simulated) for key, view in figure.views.items()},
    }


def plain_view(view: View, simulated: bool) -> dict[str, Any]:
    return {
        "title": view.title,
        "subtitle": [*([SIMULATED_SUBTITLE] if simulated else []), *view.subtitle],
        "alt": spoken(view, simulated),
        "params": view.params,
        "height": view.height,
        "data": {name: as_columns(rows) for name, rows in view.data.items()},
    }


SIMULATED_SUBTITLE = "SIMULATED data: nothing here is evidence"


def spoken(view: View, simulated: bool) -> str:
    return ("SIMULATED data. " if simulated else "") + view.alt


# Below this many rows a column is as short when it is written out.
WORTH_PACKING = 30


def as_columns(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rows that share their names, a column each: a list of values, or shorter forms of what is repeated thousands of times.

    A column of texts has each text once, in `of`, and in `at` its place for each row; `each` in its stead says that every
    text holds for so many rows in a row, `again` that all of them come over and over, so many times. A column that follows
    from an earlier one of texts has a value for each of its texts, in `of`, and its name in `by`; one that equals an earlier
    one of numbers has that one's name, in `as`.
    """
    columns: dict[str, Any] = {}
    texts: dict[str, list[Any]] = {}
    numbers: dict[str, list[Any]] = {}
    for name in list(rows[0]) if rows else []:
        values = [plain(row[name]) for row in rows]
        columns[name] = following(values, texts) or equal(values, numbers) or packed(values)
        if isinstance(columns[name], list):
            numbers[name] = values
        elif not {"by", "as"} & columns[name].keys():
            texts[name] = values
    return columns


def equal(values: list[Any], numbers: dict[str, list[Any]]) -> dict[str, Any] | None:
    """The column as one that equals an earlier one; none if it equals none."""
    if len(values) < WORTH_PACKING:
        return None
    return next(({"as": name} for name, others in numbers.items() if others == values), None)


def following(values: list[Any], columns: dict[str, list[Any]]) -> dict[str, Any] | None:
    """The column as one that follows from one of the columns of texts; none if it follows from none."""
    if len(values) < WORTH_PACKING:
        return None
    for name, texts in columns.items():
        of: dict[Any, Any] = {}
        if (
            all(of.setdefault(text, value) == value for text, value in zip(texts, values, strict=True))
            and None not in of
        ):
            return {"by": name, "of": list(of.values())}
    return None


def packed(values: list[Any]) -> list[Any] | dict[str, Any]:
    texts = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    if len(texts) * 2 > len(values) or not all(value is None or isinstance(value, str) for value in values):
        return values
    places = {text: place for place, text in enumerate(texts)}
    at = [None if value is None else places[value] for value in values]
    if texts and len(values) >= WORTH_PACKING and len(values) % len(texts) == 0:
        times = len(values) // len(texts)
        if at == [place for place in range(len(texts)) for _ in range(times)]:
            return {"of": texts, "each": times}
        if at == list(range(len(texts))) * times:
            return {"of": texts, "again": times}
    return {"of": texts, "at": at}


def plain(value: Any) -> Any:
    """A value as the page has it: days as ISO text, shares to a thousandth of a per cent."""
    if isinstance(value, float):
        return round(value, 5)
    return value.isoformat() if isinstance(value, date | datetime) else value


def plain_rows(rows: Sequence[dict[str, Any]]) -> Rows:
    return [{name: plain(value) for name, value in row.items()} for row in rows]
