"""Rows of the published version as CSV: RFC 4180, UTF-8, ISO dates, streamed, and harmless to whoever opens it in a
spreadsheet. What may be asked is `query.py`'s; nothing here chooses what a reader is shown."""

import difflib
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import duckdb

from orchestration.publishing.candidate import SCHEMA, quoted
from orchestration.publishing.current import Version
from orchestration.publishing.errors import ExportRefused, NoSuchTable
from orchestration.publishing.query import open_version, public_tables, version_to_open
from orchestration.publishing.terminal import printable
from orchestration.settings import Settings

LINES_A_CHUNK = 20_000
# Spreadsheets take a cell for a formula if it begins so, also after blanks, and with the wide forms of East Asian keyboards
# (OWASP, “CSV injection”; 2026-11-29). Blanks are what Unicode calls separators, controls and invisible marks.
FORMULA_SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"
LINE_SIGNS = "\t\r\n"
STARTS_A_FORMULA = rf"^(?:[{LINE_SIGNS}]|[\p{{Z}}\p{{Cc}}\p{{Cf}}]*[=+\-@{FORMULA_SIGNS[4:]}])"
NEEDS_QUOTES = r'[",\r\n]|^\s|\s$|^$'
BARE_TYPES = ("boolean", "integer", "bigint", "hugeint", "double", "float", "smallint", "tinyint", "date", "decimal")
CSVW_TYPES = {"date": "date", "boolean": "boolean", "double": "number", "bigint": "integer", "integer": "integer"}


@dataclass(frozen=True)
class Exported:
    """What was written: the file (None for standard output), its rows, and of which version."""

    path: Path | None
    rows: int
    version_id: str
    is_simulated: bool


def guarded(cell: str) -> str:
    """The cell with an apostrophe before it if a spreadsheet would take it for a formula; other text as it is."""
    first = next((character for character in cell if not _is_blank(character)), "")
    is_formula = cell.startswith(tuple(LINE_SIGNS)) or first.startswith(tuple(FORMULA_SIGNS))
    return f"'{cell}" if is_formula else cell


def _is_blank(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("Z") or category in ("Cc", "Cf")


def csv_of(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    guard: bool = True,
) -> Iterator[str]:
    """The answer to one query as CSV, in pieces of at most 20,000 lines; the first is the header alone.

    Lines end with CR LF. A null is nothing, an empty text is `""`. Dates and times are ISO 8601, in UTC. With `guard` a text
    that a spreadsheet would take for a formula gets an apostrophe (numbers never do). Rows keep the query's order; memory is
    bounded by a piece. Raises `ExportRefused` for anything but one query, and duckdb.Error if it can't be answered.
    """
    for lines in lines_of(connection, sql, parameters, guard=guard):
        yield "".join(lines)


def lines_of(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    guard: bool = True,
) -> Iterator[list[str]]:
    """The same as lists of whole lines, so that rows can be counted: a text may hold line ends of its own."""
    sql = one_query(sql)
    parameters = parameters or []
    columns = connection.execute(f"select * from ({sql}\n) limit 0", parameters).description
    yield [",".join(_quoted(guarded(name) if guard else name) for name, *_ in columns) + "\r\n"]
    cells = " || ',' || ".join(_cell(quoted(name), str(kind).lower(), guard=guard) for name, kind, *_ in columns)
    answer = connection.execute(f"select {cells} from ({sql}\n) as asked", parameters)
    while lines := answer.fetchmany(LINES_A_CHUNK):
        yield [f"{line}\r\n" for (line,) in lines]


def one_query(sql: str) -> str:
    """The query without a semicolon at its end. Raises `ExportRefused` if it is anything else than one that reads."""
    statements = duckdb.extract_statements(sql)
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        raise ExportRefused(
            found=f"{' and '.join(statement.type.name for statement in statements) or 'nothing'} in {sql[:200]!r}",
            expected="one query that reads",
            do_this="correct it; WHERE takes one condition, such as \"country_code = 'CN'\"",
        )
    return statements[0].query.strip().removesuffix(";")


def _cell(column: str, kind: str, *, guard: bool) -> str:
    """SQL that makes a column's value the text of a cell."""
    if kind.startswith(BARE_TYPES):
        return f"coalesce(cast({column} as varchar), '')"
    if kind.startswith("timestamp"):
        return f"coalesce(replace(cast({column} as varchar), ' ', 'T'), '')"
    text = column if kind == "varchar" else f"cast(to_json({column}) as varchar)"
    if guard:
        text = f"case when regexp_matches({text}, '{STARTS_A_FORMULA}') then '''' || {text} else {text} end"
    in_quotes = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    return f"coalesce(case when regexp_matches({text}, '{NEEDS_QUOTES}') then {in_quotes} else {text} end, '')"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(NEEDS_QUOTES, text) else text


def export_table(settings: Settings, table: str, *, to: str = "", where: str = "", guard: bool = True) -> Exported:
    """Write a public table of the current version as CSV, and beside it what its columns mean (CSV on the Web).

    `to` is a file, a folder, `-` for standard output, or empty for `exports/` in the home; `where` is a condition in SQL.
    A simulated version's file says SIMULATED in its name. Raises `NothingPublished`, `NoSuchTable`, `ExportRefused`, and
    duckdb.Error for a condition that can't be answered.
    """
    version = version_to_open(settings)
    table = table.removeprefix(f"{SCHEMA}.")
    with open_version(settings, version) as connection:
        tables = public_tables(connection)
        if table not in tables:
            raise no_such_table(table, tables)
        sql = f"select * from {SCHEMA}.{quoted(table)}" + (f" where ({where}\n)" if where else "")
        lines = lines_of(connection, sql, guard=guard)
        if to == "-":
            return Exported(None, _write(lines, sys.stdout), version.version_id, is_simulated(version))
        path = destination(settings, version, table, to)
        rows = write_whole(path, lines)
        about = about_file(connection, version, table, tables[table], path, where=where, guard=guard)
        write_whole(path.with_name(f"{path.name}-metadata.json"), [[json.dumps(about, indent=2, ensure_ascii=False)]])
    return Exported(path, rows, version.version_id, is_simulated(version))


def no_such_table(table: str, tables: Mapping[str, str]) -> NoSuchTable:
    near = difflib.get_close_matches(table, tables, n=1, cutoff=0.4)
    nearest = f"the nearest is {near[0]}; " if near else ""
    return NoSuchTable(
        found=f"no public table {printable(table)!r}",
        expected=f"one of {', '.join(tables)}",
        do_this=f"{nearest}name one of them, as in `make export TABLE={near[0] if near else 'mart_daily_country_share'}`",
    )


def is_simulated(version: Version) -> bool:
    return bool(version.manifest["is_simulated"])


def destination(settings: Settings, version: Version, table: str, to: str) -> Path:
    """The file to write: a name of our own in `exports/` or in a folder that is named, else what is named."""
    path = Path(to) if to else settings.home / "exports"
    if not to:
        path.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path = path / f"{table}_{version.snapshot_date}.csv"
    if not path.parent.is_dir():
        raise ExportRefused(
            found=f"no folder {path.parent}", expected="one that exists", do_this="make it, or name another with TO="
        )
    if is_simulated(version) and "SIMULATED" not in path.name:
        path = path.with_name(f"{path.stem}_SIMULATED{path.suffix}")
    return path


def write_whole(path: Path, batches: Iterable[list[str]]) -> int:
    """Write the lines to the file in one step: it holds all of them, or what it held before. Gives the rows, which is how
    many lines follow the first."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            rows = _write(batches, file)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def _write(batches: Iterable[list[str]], file: TextIO) -> int:
    written = 0
    for lines in batches:
        text = "".join(lines)
        # A terminal is no file: what steers it is written out.
        file.write(printable(text.replace("\r\n", "\n")) if file.isatty() else text)
        written += len(lines)
    return written - 1


def about_file(
    connection: duckdb.DuckDBPyConnection,
    version: Version,
    table: str,
    description: str,
    path: Path,
    *,
    where: str,
    guard: bool,
) -> dict[str, Any]:
    """What the file is, for people and for tools that read CSV on the Web."""
    columns = connection.execute(
        "select column_name, lower(data_type), comment from duckdb_columns() where schema_name = ? and table_name = ? "
        "order by column_index",
        [SCHEMA, table],
    ).fetchall()
    said = [description]
    if is_simulated(version):
        said.append("SIMULATED: made-up days, no evidence of anything.")
    if where:
        said.append(f"Only rows where {where}.")
    if guard:
        said.append(
            "Text that a spreadsheet would take for a formula has an apostrophe before it; `RAW=yes` writes it as it is."
        )
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": path.name,
        "dc:title": f"{SCHEMA}.{table} of version {version.version_id}",
        "dc:description": " ".join(said),
        "dc:license": version.manifest["data_licence"]["license"],
        "tableSchema": {
            "columns": [
                {"name": name, "datatype": CSVW_TYPES.get(kind, "string"), "dc:description": comment or ""}
                for name, kind, comment in columns
            ]
        },
    }
