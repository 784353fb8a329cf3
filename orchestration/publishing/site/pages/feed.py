"""A feed (Atom 1.0) of published versions and of countries that passed one another, for whoever wants to be told.
What an earlier version's feed said of versions is carried on, since those are pruned from the disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from xml.etree import ElementTree

import duckdb

from orchestration.foreign_text import display_name, display_text
from orchestration.publishing.errors import PublishRefused
from orchestration.publishing.quality_facts import score_in_words
from orchestration.publishing.site.answers import Rows, rows
from orchestration.publishing.site.frame import Frame
from orchestration.publishing.site.ground import Ground
from orchestration.publishing.site.naming import page_of_country
from orchestration.publishing.site.pages.country import Countries
from orchestration.publishing.site.words import count, percent

FEED = "feed.xml"
ATOM = "http://www.w3.org/2005/Atom"
# A name for ids (RFC 4151), not an address: `.invalid` is nobody's, so that the ids don't depend on where a site stands.
AUTHORITY = "open-model-observatory.invalid,2026"
# A reader asks once a day and has seen the rest; a year of daily versions stays (2026-11-29).
VERSIONS_TOLD, CROSSOVERS_TOLD = 366, 60


@dataclass(frozen=True)
class Entry:
    """What the feed tells: an id that never changes, when it came to be known, and the page that shows it."""

    id: str
    title: str
    updated: str
    link: str
    summary: str


@dataclass(frozen=True)
class Before:
    """A version that is published already: its facts, and the feed that lies in it, if one does."""

    version_id: str
    created_at: datetime
    snapshot_date: date | None
    is_simulated: bool
    feed: Path | None


def render_feed(
    connection: duckdb.DuckDBPyConnection, frame: Frame, countries: Countries, published: Sequence[Before]
) -> str:
    """The feed as text, newest first. `published` are the versions on the disk, newest first."""
    entries = [*version_entries(connection, frame, countries, published), *crossover_entries(frame.ground, countries)]
    entries.sort(key=lambda entry: entry.id)
    entries.sort(key=lambda entry: entry.updated, reverse=True)
    return as_atom(entries, frame.ground)


def version_entries(
    connection: duckdb.DuckDBPyConnection, frame: Frame, countries: Countries, published: Sequence[Before]
) -> list[Entry]:
    """The candidate, then what is on the disk, then what former feeds have told. What was told first stays as it was."""
    told = {entry.id: entry for version in published if version.feed for entry in entries_of(version.feed)}
    on_disk = [entry_of(version) for version in published]
    own = candidate_entry(connection, frame, countries)
    found = {entry.id: entry for entry in on_disk} | told | {own.id: own}
    newest = sorted(found.values(), key=lambda entry: (entry.updated, entry.id), reverse=True)
    return newest[:VERSIONS_TOLD]


def candidate_entry(connection: duckdb.DuckDBPyConnection, frame: Frame, countries: Countries) -> Entry:
    """The version that the feed is part of. It isn't published yet: its time is when its last day was captured."""
    ground = frame.ground
    captured = rows(connection, CAPTURED, {"snapshot_date": ground.snapshot_date})
    at = captured[0]["captured_at"] if captured else None
    first, second = (countries.lead(code) or {"share": 0} for code in ("CN", "US"))
    restated = rows(connection, RESTATED, {"version_id": frame.version_id})
    score = score_in_words(frame.quality.score.score)
    summary = (
        f"Data up to {ground.snapshot_date.isoformat()}, quality score {score} of 100. Of new models' "
        f"downloads ({ground.lead.label}): China {percent(first['share'])}, the United States {percent(second['share'])}. "
        f"Downloads are requests, not users. {restated_in_words(restated)}"
    )
    return Entry(
        id=version_id_of(frame.version_id),
        title=title(
            f"Version {frame.version_id}, data of {ground.snapshot_date.isoformat()}", simulated=ground.is_simulated
        ),
        updated=moment(at or datetime.combine(ground.snapshot_date, time(12))),
        link="index.html",
        summary=summary.strip(),
    )


def restated_in_words(restated: Rows) -> str:
    moved = sum(row["values_moved"] or 0 for row in restated)
    if not moved:
        return ""
    causes = "; ".join(dict.fromkeys(row["cause"] or "not known" for row in restated))
    return f"It restates {count(moved)} values of {len(restated)} earlier days: {display_text(causes)}."


def entry_of(version: Before) -> Entry:
    """A version that no feed has told of: it was published before there was one."""
    day = version.snapshot_date.isoformat() if version.snapshot_date else "no complete day"
    return Entry(
        id=version_id_of(version.version_id),
        title=title(f"Version {version.version_id}, data of {day}", simulated=version.is_simulated),
        updated=moment(version.created_at),
        link="index.html",
        summary=f"Data up to {day}.",
    )


def crossover_entries(ground: Ground, countries: Countries) -> list[Entry]:
    """Countries that passed one another in a measure of new models' downloads, the latest ones."""
    labels = {(measure.metric, measure.window_days): measure.label for measure in ground.measures}
    found = [
        row
        for row in countries.crossovers
        if (row["metric"], row["window_days"]) in labels and row["crossover_date"] <= ground.snapshot_date
    ]
    found.sort(key=lambda row: row["confirmed_date"] or row["crossover_date"], reverse=True)
    entries = []
    for row in found[:CROSSOVERS_TOLD]:
        leader, passed = row["leader_country_code"], row["passed_country_code"]
        label = labels[row["metric"], row["window_days"]]
        names = f"{ground.name(leader)} passed {ground.name(passed)}"
        entries.append(
            Entry(
                id=tag(
                    *(["simulated"] if ground.is_simulated else []),
                    f"crossover:{row['metric']}:{row['window_days']}:{row['attribution']}:{leader}:{passed}",
                    row["crossover_date"].isoformat(),
                ),
                title=title(
                    f"{names} on {row['crossover_date'].isoformat()} ({label}, by {row['attribution']})",
                    simulated=ground.is_simulated,
                ),
                updated=moment(datetime.combine(row["confirmed_date"] or row["crossover_date"], time())),
                link=page_of_country(leader) if leader in countries.codes else "countries.html",
                summary=f"{names} in downloads of new models ({label}), by {row['attribution']}, and stayed ahead for seven "
                "landed days. Downloads are requests, not users.",
            )
        )
    return entries


def title(words: str, *, simulated: bool) -> str:
    return ("SIMULATED: " if simulated else "") + display_text(words)


def version_id_of(version_id: str) -> str:
    return tag("version", version_id)


def tag(*parts: str) -> str:
    return f"tag:{AUTHORITY}:{':'.join(parts)}"


def moment(at: datetime) -> str:
    """An instant as Atom writes it; one without a zone is of UTC, as all of the warehouse's are."""
    in_utc = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return in_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def as_atom(entries: Sequence[Entry], ground: Ground) -> str:
    """The document. Its own time is that of its newest entry."""
    ElementTree.register_namespace("", ATOM)
    root = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": "en"})
    add(root, "id", tag(*(["simulated"] if ground.is_simulated else []), "feed"))
    add(root, "title", title("Open Model Observatory: versions, and who passed whom", simulated=ground.is_simulated))
    add(root, "subtitle", "Countries' shares of the downloads of open models. Downloads are requests, not users.")
    add(root, "updated", entries[0].updated)
    add(add(root, "author"), "name", "Open Model Observatory")
    ElementTree.SubElement(root, f"{{{ATOM}}}link", {"rel": "self", "type": "application/atom+xml", "href": FEED})
    ElementTree.SubElement(root, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": "index.html"})
    for entry in entries:
        element = add(root, "entry")
        add(element, "id", entry.id)
        add(element, "title", entry.title)
        add(element, "updated", entry.updated)
        ElementTree.SubElement(
            element, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": entry.link}
        )
        add(element, "summary", entry.summary)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = text
    return element


def entries_of(feed: Path) -> list[Entry]:
    """The versions that a feed of ours tells. Raises `PublishRefused` for a file that is none."""
    try:
        root = ElementTree.parse(feed).getroot()
        return [
            Entry(
                id=element.findtext(f"{{{ATOM}}}id", ""),
                title=element.findtext(f"{{{ATOM}}}title", ""),
                updated=element.findtext(f"{{{ATOM}}}updated", ""),
                link=element.find(f"{{{ATOM}}}link").attrib["href"],
                summary=element.findtext(f"{{{ATOM}}}summary", ""),
            )
            for element in root.findall(f"{{{ATOM}}}entry")
            if element.findtext(f"{{{ATOM}}}id", "").startswith(version_id_of(""))
        ]
    except (ElementTree.ParseError, AttributeError, KeyError) as error:
        raise PublishRefused(
            found=f"a feed of an earlier version that can't be read, {display_name(feed.parents[1].name)}: {error}",
            expected="the feed.xml that this project wrote into that version's report",
            do_this="look who changed the version's files; `make rollback` to a whole version, or take the damaged one away",
        ) from error


CAPTURED = """
    select captured_at
    from marts.dim_snapshots
    where snapshot_date = $snapshot_date
"""

RESTATED = """
    select snapshot_date, values_moved, cause
    from marts.mart_restatements
    where published_version = $version_id and table_name = '(all)'
    order by snapshot_date
"""
