"""Questions put to the candidate's database, and their answers with the SQL that an analyst can paste to get them again.
What is asked belongs to the pages; how an answer is drawn, to `figures` and `kinds`."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import duckdb

from orchestration.foreign_text import INVISIBLE

Rows = list[dict[str, Any]]
PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Answer:
    """The rows of one statement, in its order, and the statement with its values in place."""

    sql: str
    columns: tuple[str, ...]
    rows: Rows


def ask(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> Answer:
    """Run the statement with its named parameters (`$name`)."""
    used = {name: value for name, value in (parameters or {}).items() if name in PARAMETER.findall(sql)}
    cursor = connection.execute(sql, used)
    columns = tuple(column[0] for column in cursor.description)
    found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return Answer(sql=with_values(sql, used), columns=columns, rows=found)


def rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None) -> Rows:
    """The rows alone, where nobody is shown the statement."""
    return ask(connection, sql, parameters).rows


def with_values(sql: str, parameters: dict[str, Any]) -> str:
    """The statement as it can be run anywhere: each `$name` replaced by its value, and the margin taken off."""
    filled = PARAMETER.sub(lambda match: literal(parameters[match.group(1)]), sql)
    lines = filled.strip("\n").splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:].rstrip() for line in lines).strip()


def literal(value: Any) -> str:
    """A value as SQL writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return f"timestamp '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return text_literal(str(value))


def text_literal(text: str) -> str:
    """A text as SQL writes it. What can't be seen, or turns the line round, is written by its number: whoever reads or copies
    the statement gets what they see."""
    parts = [
        part
        for hidden, group in groupby(text, key=is_hidden)
        for part in (
            [f"chr({ord(letter)})" for letter in group] if hidden else ["'" + "".join(group).replace("'", "''") + "'"]
        )
    ]
    if not parts:
        return "''"
    return parts[0] if len(parts) == 1 else "concat(" + ", ".join(parts) + ")"


def is_hidden(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE
