"""The report: one HTML page that needs no network, drawn from a candidate's own database and the verdicts on it.
What it says is read in `facts`, what it draws is in `charts`; here they are put on the page, escaped."""

import base64
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.publishing.candidate import Candidate
from orchestration.publishing.facts import LEADERS, ReportFacts, read_facts
from orchestration.publishing.licences import licence_of_all
from orchestration.publishing.quality_facts import QualityFacts, read_quality
from orchestration.publishing.quality_page import QUALITY_PAGE, page_environment, render_quality_page

if TYPE_CHECKING:
    import altair

# Altair 6.3 writes Vega-Lite 6.4; drawn by another version, each chart logs a warning.
VEGA_LITE_VERSION = "6.4"
FALLBACK_WIDTH = 680  # pixels of the charts for print and for browsers without scripts
FLAGS_SHOWN = 5  # what a reader takes in before the headline's chart; all of them are on the quality page
PICTURE_WIDTH = 560  # pixels of the picture in Dagster's metadata
DEFAULT_SIMULATION_NOTE = "A sandbox Hub served these numbers; unless its source says otherwise, none of them is real."
# Exposes only what the page calls; the bundle is inlined once for all charts.
BUNDLE_SNIPPET = "window.vegaEmbed = vegaEmbed;"
CHART_OPTIONS = {"mode": "vega-lite", "renderer": "svg", "actions": False}


def render_report_into(candidate: Candidate, on_candidate: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Write the report and its quality page into the candidate's `report/`, give the report's path.

    `on_candidate` are the verdicts on the candidate's own file. Raises `PublishRefused` without a lead metric.
    """
    facts = read_facts(candidate.database)
    with duckdb.connect(str(candidate.database), read_only=True) as connection:
        quality = read_quality(connection, candidate.snapshot_dates, on_candidate)
    note = (candidate.simulation_note or DEFAULT_SIMULATION_NOTE) if facts.is_simulated else None
    common = {"version_id": candidate.version_id, "simulation_note": note}
    folder = candidate.path / "report"
    folder.mkdir(exist_ok=True)
    (folder / QUALITY_PAGE).write_text(render_quality_page(quality, **common), encoding="utf-8")
    path = folder / "index.html"
    path.write_text(render_report(facts, quality, **common), encoding="utf-8")
    return path


def render_report(facts: ReportFacts, quality: QualityFacts, *, version_id: str, simulation_note: str | None) -> str:
    """The page as text. `simulation_note` says which numbers are real, where the data is simulated; else None."""
    environment = page_environment()
    environment.filters |= {"percent": percent, "points": points, "claim_value": claim_value, "count": count}
    return environment.get_template("report.html.j2").render(
        facts=facts,
        quality=quality,
        flags_shown=FLAGS_SHOWN,
        version_id=version_id,
        simulation_note=simulation_note,
        leaders=[facts.country(code) for code in LEADERS],
        order=order_in_words(facts),
        queue_share=sum(row["share"] or 0 for row in facts.queue),
        unattributed_share=unattributed_share(facts),
        turned_round=[row["decision"] for row in facts.sensitivity if row["is_turned_round"]],
        charts=page_charts(facts),
        claims=claims_by_question(facts),
        licence=licence_of_all(facts.sources),
        missing=[day["snapshot_date"].isoformat() for day in facts.days if day["status"] != "complete"],
        events=[day for day in facts.days if day["platform_event"] not in (None, "none")],
        bundle=trusted_script(script_bundle()),
        options=script_json(CHART_OPTIONS),
    )


@cache
def script_bundle() -> str:
    """Vega, Vega-Lite and their embedder as one script. The same for every page, and it takes a second to make."""
    import vl_convert

    return vl_convert.javascript_bundle(BUNDLE_SNIPPET, vl_version=VEGA_LITE_VERSION)


def claims_by_question(facts: ReportFacts) -> list[dict[str, Any]]:
    """A claim's parts together, what is common to them once: its question, what was reported, and its caveats."""
    claims = []
    for _, group in groupby(facts.claims, key=lambda claim: claim["claim_id"]):
        parts = list(group)
        claims.append(
            parts[0]
            | {
                "parts": parts,
                "is_answered": any(part["value"] is not None for part in parts),
                "caveats": list(dict.fromkeys(part["caveat"] for part in parts if part["caveat"])),
            }
        )
    return claims


def page_charts(facts: ReportFacts) -> dict[str, dict[str, Any]]:
    """Each chart of the page: its specification for the script, its SVG for no-script, and what it shows in words."""
    from orchestration.publishing import charts

    china, states = (facts.country(code) for code in LEADERS)
    day = facts.snapshot_date.isoformat()
    drawn = {
        "headline": (
            charts.headline,
            f"Line chart: countries' share of 30-day downloads of new models, by day up to {day}. "
            f"On that day China has {percent(china['share'])}, the United States {percent(states['share'])}.",
        ),
        "china": (
            lambda facts, width: charts.organizations(facts, "CN", width),
            f"Bar chart: {organizations_in_words(facts, 'CN')}",
        ),
        "states": (
            lambda facts, width: charts.organizations(facts, "US", width),
            f"Bar chart: {organizations_in_words(facts, 'US')}",
        ),
        "attributions": (
            charts.attributions,
            f"Dot chart: each country's share by uploader and by origin. China {percent(china['share'])} and "
            f"{percent(china.get('origin_share', 0))}, the United States {percent(states['share'])} and "
            f"{percent(states.get('origin_share', 0))}.",
        ),
        "coverage": (
            charts.coverage,
            "Bar chart: how much of models, of downloads and of new models' downloads has a class, and how much has a "
            "place. The table below it has the numbers.",
        ),
    }
    mark = "SIMULATED data. " if facts.is_simulated else ""
    return {
        name: {
            "spec": script_json(specification(draw(facts, "container"))),
            "svg": trusted_svg(svg_of(draw(facts, FALLBACK_WIDTH))),
            "alt": mark + alt,
        }
        for name, (draw, alt) in drawn.items()
    }


# As a sentence names the two: the country, and what is the country's.
IN_A_SENTENCE = {"CN": ("China", "China's"), "US": ("the United States", "the United States'")}


def order_in_words(facts: ReportFacts) -> str:
    """Whether the order of the two could be another, were what isn't attributed known."""
    first, second = sorted((facts.country(code) for code in LEADERS), key=lambda row: -row["share"])
    if first["share"] == second["share"]:
        return "The two are equal on this day."
    (name, _), (other, of_the_other) = (IN_A_SENTENCE[row["country_code"]] for row in (first, second))
    if first["share_low"] > second["share_high"]:
        return (
            f"Even if all that isn't attributed were {of_the_other}, {name} would have more: the order of the two doesn't "
            "rest on it."
        )
    return (
        f"What isn't attributed is more than what parts {name} and {other}: were all of it {of_the_other}, the order of "
        "the two would be the other."
    )


def unattributed_share(facts: ReportFacts) -> float | None:
    """Part of all 30-day downloads that have no class, by uploader; none where the day tells no such downloads."""
    for row in facts.coverage:
        if (row["attribution"], row["basis"]) == ("uploader", "downloads") and row["classed_share"] is not None:
            return 1 - row["classed_share"]
    return None


def organizations_in_words(facts: ReportFacts, leader: str) -> str:
    name = facts.country(leader)["name"]
    held = [row for row in facts.organizations[leader] if row["attribution"] == "uploader"]
    if not held:
        return f"no organisation of {name} has downloads of new models on this day."
    parts = ", ".join(f"{row['organization']} {percent(row['share_of_country'])}" for row in held[:3])
    return f"organisations' part of {name}'s downloads of new models by uploader, first {parts}."


def headline_chart(database: Path) -> "altair.LayerChart":
    """The headline chart of a published or candidate database, at a fixed width."""
    from orchestration.publishing import charts

    return charts.headline(read_facts(database), PICTURE_WIDTH)


def headline_image_markdown(database: Path) -> str:
    """The headline chart as a Markdown image with its bytes inside, for Dagster's metadata (about 50 kB)."""
    picture = base64.b64encode(svg_of(headline_chart(database)).encode()).decode()
    return f"![Countries' share of new models' downloads](data:image/svg+xml;base64,{picture})"


def specification(chart: "altair.LayerChart") -> dict[str, Any]:
    """The chart as Vega-Lite, without the address of its schema, which nothing here fetches."""
    document = chart.to_dict()
    document.pop("$schema")
    return document


def svg_of(chart: "altair.LayerChart") -> str:
    import vl_convert

    return vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=VEGA_LITE_VERSION)


def script_json(document: Any) -> Any:
    """JSON that can stand inside a script element: no character in it can end the element or open a comment."""
    import markupsafe

    text = json.dumps(document, ensure_ascii=True, allow_nan=False, sort_keys=True)
    return markupsafe.Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def trusted_script(code: str) -> Any:
    """Code of ours or of the bundle, marked as such. Raises `ValueError` if it could end its own element."""
    import markupsafe

    if "</script" in code.lower() or "<!--" in code:
        raise ValueError(
            "Found an end of script inside the chart bundle; expected none. Do this: pin its version back."
        )
    return markupsafe.Markup(code)


def trusted_svg(picture: str) -> Any:
    """A drawing of vl_convert, which escapes the text in it. Raises `ValueError` if it could leave its element."""
    import markupsafe

    if "<script" in picture.lower() or "</noscript" in picture.lower():
        raise ValueError("Found markup in a drawn chart; expected text only. Do this: report it to vl-convert.")
    return markupsafe.Markup(picture)


def percent(share: float | None, decimals: int = 1) -> str:
    return "–" if share is None else f"{share:.{decimals}%}"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign; a bare nought is where nothing moved at all."""
    return f"{difference * 100:+.1f}".replace("-", "−") if difference else "0"


def count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


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
