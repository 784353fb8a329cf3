"""The whole site into a candidate's `report/`: pages, figures as pictures and as CSV, and the files that all pages share.
What is on a page is in `pages`; here files are written, each once."""

import base64
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from orchestration.publishing import day_files
from orchestration.publishing.candidate import Candidate
from orchestration.publishing.current import Version
from orchestration.publishing.export import csv_of
from orchestration.publishing.licences import licence_of_all
from orchestration.publishing.quality_facts import read_quality
from orchestration.publishing.site import frame as framing
from orchestration.publishing.site.answers import Answer
from orchestration.publishing.site.facts import read_front
from orchestration.publishing.site.figures import Figure
from orchestration.publishing.site.frame import STATIC, Frame
from orchestration.publishing.site.ground import read_ground
from orchestration.publishing.site.kept import kept_or_made
from orchestration.publishing.site.lineage import read_lineage
from orchestration.publishing.site.pages import front
from orchestration.publishing.site.pages.corrections import (
    CORRECTIONS_CSV,
    CORRECTIONS_PAGE,
    read_corrections,
    render_corrections,
)
from orchestration.publishing.site.pages.dictionary import DICTIONARY_PAGE, read_dictionary, render_dictionary
from orchestration.publishing.site.pages.everyone import read_everyone
from orchestration.publishing.site.pages.feed import FEED, Before, render_feed
from orchestration.publishing.site.pages.quality import QUALITY_PAGE, render_quality_page

DOCS_PAGE = "dbt.html"
PICTURE_WIDTH = 680  # pixels of the charts for browsers without scripts, and until the script has drawn them
METADATA_WIDTH = 560  # pixels of the picture in Dagster's metadata
DEFAULT_SIMULATION_NOTE = "A sandbox Hub served these numbers; unless its source says otherwise, none of them is real."
# Exposes only what the pages call; one bundle for all pages of the site.
BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Around:
    """What the site tells that isn't in the candidate: the versions on the disk, newest first; dbt's manifest, for lineage;
    and dbt's own documentation as one page. Without them it says so, or says nothing of them. `kept` is a folder for what is
    the same on every site, so that the next process need not make it."""

    published: Sequence[Version] = ()
    manifest: Path | None = None
    docs: Path | None = None
    kept: Path | None = None


def render_report_into(
    candidate: Candidate, on_candidate: Sequence[Mapping[str, Any]] = (), around: Around | None = None
) -> Path:
    """Write the site into the candidate's `report/`, give the front page's path.

    `on_candidate` are the verdicts on the candidate's own file. Raises `PublishRefused` without a measure of new models.
    """
    around = around or Around()
    folder = candidate.path / "report"
    shutil.rmtree(folder, ignore_errors=True)
    for below in ("assets", "charts", "data"):
        (folder / below).mkdir(parents=True)
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        ground = read_ground(connection)
        facts = read_front(connection, ground)
        frame = Frame(
            version_id=candidate.version_id,
            ground=ground,
            quality=read_quality(connection, candidate.snapshot_dates, on_candidate),
            simulation_note=(candidate.simulation_note or DEFAULT_SIMULATION_NOTE) if ground.is_simulated else None,
            sources=facts.sources,
            licence=licence_of_all(facts.sources),
        )
        environment = framing.environment(frame)
        contents = front.contents_of(connection, ground, facts)
        everyone = read_everyone(connection, ground)
        environment.globals["with_page"] = everyone.with_page
        corrections = read_corrections(connection)
        entries = read_dictionary(connection, counted(candidate), read_lineage(around.manifest))
        docs = DOCS_PAGE if around.docs else None
        for path, text in chain(
            everyone.pages(environment, frame),
            [
                (QUALITY_PAGE, render_quality_page(environment, frame)),
                (CORRECTIONS_PAGE, render_corrections(environment, frame, corrections)),
                (DICTIONARY_PAGE, render_dictionary(environment, frame, entries, docs)),
                (FEED, render_feed(connection, frame, everyone.countries, [before(v) for v in around.published])),
                ("index.html", front.render_front(environment, frame, facts, contents)),
            ],
        ):
            write(folder / path, text)
        answers = everyone.csv_files() | {CORRECTIONS_CSV: corrections}
        answers |= {figure.name: figure.answer for figure in contents.in_order}
        for name, answer in answers.items():
            write_csv(connection, folder / "data" / f"{name}.csv", answer)
    if around.docs:
        shutil.copyfile(around.docs, folder / DOCS_PAGE)
    for figure in contents.in_order:
        if figure.is_pictured:
            draw(folder, figure, ground.is_simulated, around.kept)
    write(folder / "assets" / "search-index.js", everyone.search_index)
    write_assets(folder / "assets", ground.is_simulated, around.kept)
    return folder / "index.html"


def counted(candidate: Candidate) -> dict[str, int]:
    """Rows by table, and of the view over all days, which nobody should have to count anew."""
    days = {day_files.VIEW: sum(file.rows for file in candidate.days.values())} if candidate.days else {}
    return candidate.tables | days


def before(version: Version) -> Before:
    feed = version.report.with_name(FEED)
    return Before(
        version_id=version.version_id,
        created_at=version.created_at,
        snapshot_date=version.snapshot_date,
        is_simulated=version.manifest["is_simulated"],
        feed=feed if feed.is_file() else None,
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_csv(connection: duckdb.DuckDBPyConnection, path: Path, answer: Answer) -> None:
    """The answer's rows, from the database once more: what is in the file is what the statement gives to anybody."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_of(connection, answer.sql))


def draw(folder: Path, figure: Figure, simulated: bool, kept: Path | None) -> None:
    """The figure's picture, for readers without scripts, and until the script has drawn the chart."""
    from orchestration.publishing.site.kinds import drawn

    write(folder / "charts" / f"{figure.name}.svg", trusted_svg(drawn(figure, simulated, PICTURE_WIDTH, kept)))


def write_assets(folder: Path, simulated: bool, kept: Path | None) -> None:
    """What every page loads: the charts' library, the kinds of charts, the site's own script and style."""
    from orchestration.publishing.site.kinds import kinds_and_themes

    write(folder / "charts.js", script_bundle(kept))
    kinds = json.dumps(kinds_and_themes(simulated, kept), sort_keys=True, separators=(",", ":"))
    write(folder / "kinds.js", f"window.observatory = {kinds};\n")
    for path in sorted(STATIC.iterdir()):
        shutil.copyfile(path, folder / path.name)


@cache
def script_bundle(kept: Path | None = None) -> str:
    """Vega, Vega-Lite and their embedder as one script. It is the same for every site, and takes more than a second to make."""
    from orchestration.publishing.site.kinds import VEGA_LITE_VERSION

    def bundled() -> str:
        import vl_convert

        return vl_convert.javascript_bundle(BUNDLE_SNIPPET, vl_version=VEGA_LITE_VERSION)

    return kept_or_made(kept, "charts.js", [BUNDLE_SNIPPET, VEGA_LITE_VERSION, version("vl-convert-python")], bundled)


# Coordinates come with up to fifteen decimals; a hundredth of a pixel is seen by nobody, and half of the file is saved.
LONG_DECIMALS = re.compile(r"(\d\.\d\d)\d+")
TAG = re.compile(r"<[^>]*>")  # texts lie between them, and stay as they are


def trusted_svg(picture: str) -> str:
    """A drawing of vl_convert, which escapes the text in it. Raises `ValueError` if there is anything else in it."""
    if "<script" in picture.lower() or "<foreignobject" in picture.lower():
        raise ValueError("Found markup in a drawn chart; expected text only. Do this: report it to vl-convert.")
    return TAG.sub(lambda tag: LONG_DECIMALS.sub(r"\1", tag.group(0)), picture)


def headline_figure(database: Path) -> tuple[Figure, bool]:
    """The headline of a published or candidate database, and whether it is simulated."""
    with duckdb.connect(str(database), read_only=True) as connection:
        ground = read_ground(connection)
        countries = read_front(connection, ground).countries.rows
        figure = front.shares.headline(connection, ground, front.shares.drawn_countries(countries))
        return figure, ground.is_simulated


def headline_image_markdown(database: Path, kept: Path | None = None) -> str:
    """The headline chart as a Markdown image with its bytes inside, for Dagster's metadata (about 60 kB)."""
    from orchestration.publishing.site.kinds import drawn

    picture = drawn(*headline_figure(database), METADATA_WIDTH, kept)
    encoded = base64.b64encode(picture.encode()).decode()
    return f"![Countries' share of new models' downloads](data:image/svg+xml;base64,{encoded})"
