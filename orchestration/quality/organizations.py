"""The rules of the reviewed table of who is from where, row by row: what was found, what was expected, what to do about it.
It reads the seeds as text and knows neither dbt nor a warehouse; what the marts make of them is promised in suites/."""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

SEEDS = PROJECT_ROOT / "dbt_project" / "seeds"
ORGANIZATIONS, EVIDENCE, COUNTRIES = "organizations.csv", "organization_evidence.csv", "countries.csv"
COLUMNS = {
    ORGANIZATIONS: (
        *("namespace", "valid_from", "valid_to", "organization", "parent_organization", "organization_type"),
        *("country_code", "secondary_country_code", "confidence", "evidence", "evidence_url", "note"),
    ),
    EVIDENCE: ("namespace", "source", "stated", "country_code", "source_url", "reason"),
    COUNTRIES: ("country_code", "country_name", "region", "is_eu_member", "is_user_assigned"),
}

TYPES = (
    *("industry", "academia", "nonprofit", "government", "community", "repackager", "individual", "international"),
)
CONFIDENCES = ("high", "medium", "low")
# without a country by definition 11, and the only ones that are
WITHOUT_COUNTRY = ("repackager", "individual")
MAY_BE_XC = (*WITHOUT_COUNTRY, "community")
ALWAYS = date(1900, 1, 1)

NAME_ON_THE_HUB = re.compile(r"[A-Za-z0-9._-]{1,96}")
ADDRESS = re.compile(r"https://[\w-]+(\.[\w-]+)+(/\S*)?")
A_PERSON = re.compile(
    r"\b(person|founder|author|researcher|engineer|developer|scientist|student|professor|maintainer)s?\b"
)
PUBLISHES_FOR = "publishes for an organisation"
# 2026-11-24: "Paris" alone says nothing to a reader, "In Paris, France" does
SHORTEST_SENTENCE = 10

# Codes that look right, and what is meant by them.
MISTAKEN_CODES = {
    "UK": "write GB for the United Kingdom",
    "EL": "write GR for Greece",
    "EU": "write the country of the headquarters: the European Union is no country of ISO 3166-1",
    "XX": "leave the row out: who isn't known counts as XX by itself",
    "XM": "decide for one country, XI or XC: mixed origin is worked out from lineage",
}

# Whose word stands at an address: the beginning of it without https:// and www., and the source that it is.
THIRD_PARTIES = {
    "wikipedia.org": "wikipedia",
    "wikidata.org": "wikipedia",
    "github.com/interconnects-ai": "tracked_models",
    "github.com/cisco-ai-defense": "defenseclaw",
    "epoch.ai": "epoch",
}
OWN_WORD = {"website", "hub_profile"}


@dataclass(frozen=True)
class Problem:
    """Something wrong in one line of a seed, and how to mend it."""

    file: str
    line: int
    found: str
    expected: str
    do: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: Found {self.found}; expected {self.expected}. Do this: {self.do}."


@dataclass(frozen=True)
class Row:
    """A record of a seed and the line on which it begins."""

    file: str
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def problem(self, found: str, expected: str, do: str) -> Problem:
        return Problem(self.file, self.line, found, expected, do)


@dataclass(frozen=True)
class Seeds:
    """The rows that can be read, and the day on which they are looked at."""

    organizations: list[Row]
    evidence: list[Row]
    countries: frozenset[str]
    classes: frozenset[str]
    today: date

    def decided(self) -> dict[str, Row]:
        """The row of each namespace that is valid today, by its name in lower case."""
        return {
            row["namespace"].lower(): row
            for row in self.organizations
            if (_date(row["valid_from"]) or date.max) <= self.today
            and self.today < (_date(row["valid_to"]) or date.max)
        }


Rule = Callable[[Seeds], Iterator[Problem]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def check(folder: Path = SEEDS, *, today: date | None = None) -> list[Problem]:
    """All problems of the organisations' seeds in a folder, by file and line; none where all rules are kept."""
    problems: list[Problem] = []
    rows: dict[str, list[Row]] = {}
    for file in COLUMNS:
        rows[file], unreadable = _read(folder / file)
        problems += unreadable
    codes = {row["country_code"]: row["is_user_assigned"] == "true" for row in rows[COUNTRIES]}
    seeds = Seeds(
        rows[ORGANIZATIONS],
        rows[EVIDENCE],
        frozenset(code for code, is_class in codes.items() if not is_class),
        frozenset(code for code, is_class in codes.items() if is_class),
        today or datetime.now(UTC).date(),
    )
    for name, found in RULES.items():
        problems += [replace(problem, rule=name) for problem in found(seeds)]
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.rule, problem.found))


def main() -> int:
    """Say every problem, or that there is none; the exit code for a shell."""
    problems = check()
    said = [f"{SEEDS.relative_to(PROJECT_ROOT)}/{problem}" for problem in problems]
    said.append(f"{len(problems)} to mend." if problems else _summary())
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if problems else 0


def _summary() -> str:
    organizations, evidence = _read(SEEDS / ORGANIZATIONS)[0], _read(SEEDS / EVIDENCE)[0]
    rows_of = Counter(row["confidence"] for row in organizations)
    return (
        f"All in order: {len(_by_namespace(organizations))} namespaces in {len(organizations)} rows, "
        f"{', '.join(f'{rows_of[name]} {name}' for name in CONFIDENCES)}; {len(evidence)} rows of evidence."
    )


# ---------- the files


def _read(path: Path) -> tuple[list[Row], list[Problem]]:
    """Rows of a file in which every field is there, and problems of the text itself."""
    file, columns = path.name, list(COLUMNS[path.name])
    if not path.is_file():
        return [], [Problem(file, 1, "no such file", "the seed", "restore it", "file_is_clean_text")]
    text = path.read_bytes().decode("utf-8", errors="replace")
    rows, problems = [], []

    def problem(line: int, found: str, expected: str, do: str) -> None:
        problems.append(Problem(file, line, found, expected, do, "file_is_clean_text"))

    for line, content in enumerate(text.split("\n"), start=1):
        if "\r" in content or "\ufeff" in content or "\ufffd" in content:
            problem(line, "a carriage return, byte order mark or broken letter", "UTF-8 lines", "save it as UTF-8, LF")
    if not text.endswith("\n"):
        problem(text.count("\n") + 1, "no line end after the last row", "one", "end the file with a line break")
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    begins = 1
    try:
        if (header := next(reader, [])) != columns:
            problem(1, f"columns {','.join(header)}", ",".join(columns), "restore the first line")
            return [], problems
        for fields in reader:
            line, begins = begins + 1, reader.line_num
            if len(fields) != len(columns):
                found, expected = f"{len(fields)} fields", f"{len(columns)}"
                problem(line, found, expected, "count the commas, and quote a field that holds one")
                continue
            row = Row(file, line, dict(zip(columns, fields, strict=True)))
            rows.append(row)
            for column, value in row.values.items():
                if value != " ".join(value.split()):
                    problem(line, f"blanks around or within {column} {value!r}", "none", "take them out")
    except csv.Error as error:
        problem(begins + 1, f"a row that can't be read ({error})", "one line a row", "close the quotes")
    return rows, problems


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _by_namespace(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["namespace"].lower()].append(row)
    return groups


def _out_of_order(rows: list[Row]) -> Iterator[Problem]:
    for before, row in itertools.pairwise(rows):
        if _key(row) < _key(before):
            above = next(other for other in rows if _key(other) > _key(row))
            yield row.problem(
                f"{row['namespace']} below {before['namespace']}",
                "rows in the order of namespaces, without regard to case, and then of the second column",
                f"move the row above {above['namespace']} in line {above.line}",
            )


def _repeated(rows: list[Row]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        earlier = first.setdefault(_key(row), row)
        if earlier is not row:
            yield row.problem(
                f"{row['namespace']} with the same {list(row.values)[1]} as in line {earlier.line}",
                "each namespace once for each of those",
                "make one row of the two",
            )


def _key(row: Row) -> tuple[str, str]:
    """Namespace, and the second column: valid_from of organisations, source of evidence."""
    return row["namespace"].lower(), row[list(row.values)[1]]


# ---------- organisations: names and order


@rule
def rows_are_sorted(seeds: Seeds) -> Iterator[Problem]:
    yield from _out_of_order(seeds.organizations)
    yield from _out_of_order(seeds.evidence)


@rule
def a_row_is_there_once(seeds: Seeds) -> Iterator[Problem]:
    yield from _repeated(seeds.organizations)
    yield from _repeated(seeds.evidence)


@rule
def a_namespace_is_a_name_on_the_hub(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if not NAME_ON_THE_HUB.fullmatch(row["namespace"]):
            yield row.problem(
                f"namespace {row['namespace']!r}",
                "letters, digits, `.`, `_` or `-`",
                "write what stands before the slash of a model's name",
            )


@rule
def a_namespace_has_one_spelling(seeds: Seeds) -> Iterator[Problem]:
    for rows in _by_namespace(seeds.organizations).values():
        for row in rows[1:]:
            if row["namespace"] != rows[0]["namespace"]:
                yield row.problem(
                    f"{row['namespace']}, which line {rows[0].line} spells {rows[0]['namespace']}",
                    "one spelling: the Hub doesn't tell them apart",
                    "keep the Hub's own",
                )


@rule
def names_are_given(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        for column in ("organization", "parent_organization"):
            if not row[column]:
                yield row.problem(
                    f"no {column} of {row['namespace']}", "a name", "write it; its own where it has no parent"
                )


# ---------- organisations: time


@rule
def a_validity_has_a_beginning_before_its_end(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        begins, ends = _date(row["valid_from"]), _date(row["valid_to"])
        if begins is None or (row["valid_to"] and ends is None):
            wrong = row["valid_from"] if begins is None else row["valid_to"]
            yield row.problem(
                f"the date {wrong!r}", "YYYY-MM-DD", f"write {ALWAYS} as valid_from where no move is known"
            )
        elif ends is not None and ends <= begins:
            yield row.problem(
                f"valid_to {ends} with valid_from {begins}",
                "a later day: valid_to is the first day on which the row no longer holds",
                "mend the dates, or take the row out",
            )


def _has_a_time(row: Row) -> bool:
    begins, ends = _date(row["valid_from"]), _date(row["valid_to"])
    return begins is not None and (not row["valid_to"] or (ends is not None and begins < ends))


@rule
def validities_follow_each_other(seeds: Seeds) -> Iterator[Problem]:
    for rows in _by_namespace(seeds.organizations).values():
        if not all(_has_a_time(row) for row in rows):
            continue
        rows = sorted(rows, key=lambda row: row["valid_from"])
        if _date(rows[0]["valid_from"]) != ALWAYS:
            yield rows[0].problem(
                f"{rows[0]['namespace']} from {rows[0]['valid_from']} on",
                f"a first row from {ALWAYS} on",
                f"write {ALWAYS}, or add the row that held before",
            )
        if rows[-1]["valid_to"]:
            yield rows[-1].problem(
                f"{rows[-1]['namespace']} until {rows[-1]['valid_to']} only",
                "a last row without valid_to",
                "leave valid_to empty, or add the row that holds since",
            )
        for before, row in itertools.pairwise(rows):
            if row["valid_from"] != before["valid_to"] and row["valid_from"] != before["valid_from"]:
                gap = before["valid_to"] and before["valid_to"] < row["valid_from"]
                yield row.problem(
                    f"{row['namespace']} from {row['valid_from']} on, and line {before.line} until "
                    f"{before['valid_to'] or 'now'}: {'a gap' if gap else 'an overlap'}",
                    "the day on which the row before ends",
                    f"write the day of the move as valid_to of line {before.line} and as valid_from here",
                )


@rule
def a_move_changes_something(seeds: Seeds) -> Iterator[Problem]:
    kept = ("organization", "parent_organization", "country_code", "organization_type")
    for rows in _by_namespace(seeds.organizations).values():
        for before, row in itertools.pairwise(rows):
            if all(row[column] == before[column] for column in kept):
                yield row.problem(
                    f"the same organisation, type and country as in line {before.line}",
                    "a change on the day of valid_from",
                    "take one of the two out",
                )


# ---------- organisations: closed lists and codes


@rule
def types_and_confidences_are_of_the_closed_lists(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        for column, values in (("organization_type", TYPES), ("confidence", CONFIDENCES)):
            if row[column] not in values:
                yield row.problem(
                    f"{column} {row[column]!r} of {row['namespace']}", f"one of {', '.join(values)}", "choose one"
                )


@rule
def codes_are_known(seeds: Seeds) -> Iterator[Problem]:
    allowed = {
        (ORGANIZATIONS, "country_code"): seeds.countries | {"XC", "XI"},
        (ORGANIZATIONS, "secondary_country_code"): seeds.countries | {""},
        (EVIDENCE, "country_code"): seeds.countries | (seeds.classes - {"XX"}) | {""},
    }
    for row in (*seeds.organizations, *seeds.evidence):
        for (file, column), codes in allowed.items():
            if row.file == file and row[column] not in codes:
                others = " or ".join(sorted(code for code in codes - seeds.countries if code)) or "nothing"
                yield row.problem(
                    f"{column} {row[column]!r} of {row['namespace']}",
                    f"ISO 3166-1 alpha-2 as in {COUNTRIES}, or {others}",
                    _mended(row, column),
                )


def _mended(row: Row, column: str) -> str:
    if row.file == EVIDENCE and row[column] in {"EU", "XX"}:
        return "leave it empty: the source names no single country"
    return MISTAKEN_CODES.get(row[column], f"look the country up in {COUNTRIES}")


@rule
def a_second_country_is_another_one(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if row["country_code"] == row["secondary_country_code"]:
            yield row.problem(
                f"{row['country_code']} of {row['namespace']} twice", "another country", "empty secondary_country_code"
            )


@rule
def repackagers_and_individuals_have_no_country(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if row["organization_type"] in WITHOUT_COUNTRY and row["country_code"] != "XC":
            yield row.problem(
                f"{row['organization_type']} {row['namespace']} in {row['country_code']}",
                "XC, whatever its home",
                "write XC, and a repackager's home as secondary_country_code; a person who publishes for an "
                "organisation has that organisation's type",
            )


@rule
def community_is_a_decision(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if row["country_code"] == "XC" and row["organization_type"] not in MAY_BE_XC:
            yield row.problem(
                f"XC for {row['namespace']}, of type {row['organization_type']}",
                f"XC with type {', '.join(MAY_BE_XC)} only",
                "write its country, or leave the row out: who isn't known is XX",
            )


@rule
def international_is_a_type_and_a_code_at_once(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if (row["organization_type"] == "international") != (row["country_code"] == "XI"):
            yield row.problem(
                f"{row['namespace']} of type {row['organization_type']} with {row['country_code']}",
                "type international and code XI together, or neither",
                "write both, or the country where it has its headquarters",
            )


@rule
def an_organization_has_one_parent_and_one_country(seeds: Seeds) -> Iterator[Problem]:
    yield from _differs(seeds, "organization", ("parent_organization", "country_code"))


@rule
def a_subsidiary_has_its_parents_country(seeds: Seeds) -> Iterator[Problem]:
    yield from _differs(seeds, "parent_organization", ("country_code",))


def _differs(seeds: Seeds, name: str, columns: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[str, Row] = {}
    for row in seeds.decided().values():
        if row["country_code"] in seeds.classes:
            continue
        earlier = first.setdefault(row[name], row)
        for column in columns:
            if row[column] != earlier[column]:
                yield row.problem(
                    f"{column} {row[column]} of {name} {row[name]}, which has {earlier[column]} in line {earlier.line}",
                    "one, the parent's, for all of its accounts",
                    "decide which; a base of its own goes to secondary_country_code",
                )


@rule
def a_person_has_a_country_only_for_an_organization(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        is_located = row["country_code"] not in seeds.classes
        names_it = row["organization"] != row["namespace"] and PUBLISHES_FOR in row["note"]
        if is_persons_account(row.values) and is_located and not names_it:
            yield row.problem(
                f"the person's account {row['namespace']} in {row['country_code']}",
                f"an organisation by its name, and a note that the person {PUBLISHES_FOR}",
                "name it, or make the row an individual with XC",
            )


def is_persons_account(row: Mapping[str, str]) -> bool:
    """As its evidence says: a person's account, or the account of somebody who isn't the organisation itself."""
    evidence = row["evidence"].lower()
    _, of, whose = evidence.partition("account of ")
    names = (row["organization"].lower(), row["parent_organization"].lower())
    return "person's account" in evidence or bool(of and (A_PERSON.search(whose) or not whose.startswith(names)))


# ---------- organisations: evidence and confidence


@rule
def evidence_is_a_sentence(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if len(row["evidence"]) < SHORTEST_SENTENCE:
            yield row.problem(
                f"evidence {row['evidence']!r} of {row['namespace']}",
                "the fact in a sentence",
                "say where it is based and who says so, in your own words",
            )


@rule
def evidence_has_an_address(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if not row["evidence_url"] and row["confidence"] != "low":
            yield row.problem(
                f"no evidence_url of {row['namespace']}, confidence {row['confidence']}",
                "an address, which only low confidence goes without",
                "write one that you opened, or low and a note",
            )
    for row in (*seeds.organizations, *seeds.evidence):
        column = "evidence_url" if row.file == ORGANIZATIONS else "source_url"
        if row[column] and not ADDRESS.fullmatch(row[column]):
            yield row.problem(f"{column} {row[column]!r}", "https://…", "copy it from the browser")


@rule
def low_confidence_is_explained(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.organizations:
        if row["confidence"] == "low" and not row["note"]:
            yield row.problem(f"low confidence of {row['namespace']} without a note", "why", "say what is open")


@rule
def high_confidence_is_supported(seeds: Seeds) -> Iterator[Problem]:
    """Two independent sources agree, or the organisation says so itself. What is known about one account of a parent
    is known about all of them, since a subsidiary has its parent's country."""
    decided = seeds.decided()
    sources_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in decided.values():
        if row["evidence_url"]:
            sources_of[_behind(row)].add(source_of(row["evidence_url"], row["namespace"]))
    for row in seeds.evidence:
        decision = decided.get(row["namespace"].lower())
        if decision is not None and row["country_code"] == decision["country_code"]:
            sources_of[_behind(decision)].add(row["source"])
    for row in decided.values():
        sources = sources_of[_behind(row)]
        if row["confidence"] == "high" and len(sources) < 2 and not sources & OWN_WORD:
            yield row.problem(
                f"high confidence of {row['namespace']} on {', '.join(sorted(sources)) or 'nothing'} alone",
                "two sources that agree, or the organisation's own word",
                f"add a row to {EVIDENCE}, or write medium",
            )


def _behind(row: Row) -> tuple[str, str]:
    return row["parent_organization"], row["country_code"]


def source_of(address: str, namespace: str) -> str:
    """Whose word an address is: a known third party's, the account's own page on the Hub, else the organisation's site."""
    place = re.sub(r"^https://(www\.)?", "", address.lower()).rstrip("/")
    host = place.split("/")[0]
    for beginning, source in THIRD_PARTIES.items():
        if host == beginning or host.endswith(f".{beginning}") or f"{place}/".startswith(f"{beginning}/"):
            return source
    if host == "huggingface.co":
        return "hub_profile" if place == f"huggingface.co/{namespace.lower()}" else "huggingface.co"
    return "website"


# ---------- evidence


@rule
def evidence_is_about_a_row(seeds: Seeds) -> Iterator[Problem]:
    spelled = {row["namespace"].lower(): row["namespace"] for row in seeds.organizations}
    names = {row["namespace"] for row in seeds.organizations}
    for row in seeds.evidence:
        if row["namespace"] not in names:
            yield row.problem(
                f"evidence about {row['namespace']!r}",
                f"a namespace of {ORGANIZATIONS}, spelled the same",
                f"add it there, or write {spelled.get(row['namespace'].lower(), 'another')}",
            )


@rule
def evidence_names_its_source(seeds: Seeds) -> Iterator[Problem]:
    for row in seeds.evidence:
        if not re.fullmatch(r"[a-z0-9_]+", row["source"]) or not row["stated"]:
            yield row.problem(
                f"source {row['source']!r} that states {row['stated']!r}",
                "a short name (tracked_models, website, …) and its own word for the place",
                "write both",
            )


@rule
def a_disagreement_has_its_reason(seeds: Seeds) -> Iterator[Problem]:
    """A source that names no single country agrees with nobody and contradicts nobody: a reason is welcome."""
    decided = seeds.decided()
    for row in seeds.evidence:
        decision = decided.get(row["namespace"].lower())
        if decision is None or not row["country_code"]:
            continue
        agrees = row["country_code"] == decision["country_code"]
        said = (
            f"{row['source']} with {row['country_code']} for {row['namespace']}, decided as {decision['country_code']}"
        )
        if not agrees and len(row["reason"]) < SHORTEST_SENTENCE:
            yield row.problem(said, "a reason", "say why we decide otherwise, or change the decision")
        if agrees and row["reason"]:
            yield row.problem(
                f"{said}, with a reason", "none where both agree", f"empty it, or move it to note in {ORGANIZATIONS}"
            )


if __name__ == "__main__":
    sys.exit(main())
