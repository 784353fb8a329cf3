"""Under which licence a version's data is, whom it credits, and the text that says so: all of it by the sources of its days.
What a source is, and which licence its days land with, is for `hub.archive` and `landing`; the code's own licence lies in the
repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.hub.archive import ARCHIVES

FILE_NAME = "LICENSE-DATA"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Terms:
    """A licence's full name and address. One that is shared alike passes on to a database that is made with its data."""

    name: str
    address: str
    is_share_alike: bool = False


# By `source_license` of a day; another text, such as the sandbox's own, stands for itself (read 2026-11-24).
TERMS = {
    "Apache-2.0": Terms("Apache License, Version 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "ODbL-1.0": Terms(
        "Open Database License (ODbL) v1.0", "https://opendatacommons.org/licenses/odbl/1-0/", is_share_alike=True
    ),
    "Hugging Face Terms of Service (listing metadata; each model has its own licence)": Terms(
        "Hugging Face Terms of Service (listing metadata; each model has its own licence)",
        "https://huggingface.co/terms-of-service",
    ),
}

SOURCES = """
    select
        source,
        source_license as license,
        cast(min(snapshot_date) as varchar) as first_day,
        cast(max(snapshot_date) as varchar) as last_day,
        count(*) as days,
        coalesce(bool_or(is_simulated), false) as is_simulated
    from marts.dim_snapshots
    where status = 'complete'
    group by source, source_license
    order by source, source_license
"""


def data_licences(connection: duckdb.DuckDBPyConnection) -> Rows:
    """A row for each source and licence of the version's complete days, as its own `dim_snapshots` has them.

    source, license, first_day, last_day (ISO), days, is_simulated; license_url, dataset and dataset_url, each null where
    there is none; `attribution`, the sentence that credits the source.
    """
    cursor = connection.execute(SOURCES)
    names = [column[0] for column in cursor.description]
    return [_with_terms(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _with_terms(row: dict[str, Any]) -> dict[str, Any]:
    terms, archive = TERMS.get(row["license"]), ARCHIVES.get(row["source"])
    dataset = archive.repo if archive else None
    address = f"https://huggingface.co/datasets/{dataset}" if dataset else None
    licence = f"{terms.name} ({terms.address})" if terms else row["license"] or "terms that aren't stated"
    if dataset is None:
        attribution = f"Contains information from the Hub's public listing: {licence}."
    elif terms and terms.is_share_alike:
        attribution = f"Contains information from {dataset} ({address}), which is made available under the {licence}."
    else:
        attribution = f"Contains information from {dataset} ({address}), {licence}; selected, joined and summed here."
    if row["is_simulated"]:
        attribution += " SIMULATED: a sandbox Hub stood in for it."
    return row | {
        "license_url": terms.address if terms else None,
        "dataset": dataset,
        "dataset_url": address,
        "attribution": attribution,
    }


def licence_of_all(sources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the version as a whole is under: `license`, `url`, `statement` and the `file` that says it all.

    One source that is shared alike decides it; otherwise each source's terms hold for its days.
    """
    shared = next((row for row in sources if row["license"] in TERMS and TERMS[row["license"]].is_share_alike), None)
    if shared is not None:
        terms = TERMS[shared["license"]]
        return {
            "license": shared["license"],
            "url": terms.address,
            "statement": f"Made with {shared['dataset']} ({shared['dataset_url']}), this database is made available under "
            f"the {terms.name}: {terms.address}. Who passes it on, or a database made from it, keeps this notice and "
            "that licence.",
            "file": FILE_NAME,
        }
    return {
        "license": " and ".join(dict.fromkeys(row["license"] or "not stated" for row in sources)) or None,
        "url": sources[0]["license_url"] if len(sources) == 1 else None,
        "statement": "Each source's days are under that source's terms.",
        "file": FILE_NAME,
    }


def licence_lines(sources: Sequence[dict[str, Any]]) -> list[str]:
    """The statement and a line for each source, as LICENSE-DATA and the dictionary have them; Markdown and plain text."""
    return [
        licence_of_all(sources)["statement"],
        "",
        *(
            f"- {row['days']:,} day{'' if row['days'] == 1 else 's'} ({row['first_day']} to {row['last_day']}), source "
            f"{row['source']}, {row['license'] or 'licence not stated'}. {row['attribution']}"
            for row in sources
        ),
        "",
        "Each model that the tables name has its own licence (`dim_models.license`), which none of this changes.",
    ]


def licence_text(sources: Sequence[dict[str, Any]]) -> str:
    """LICENSE-DATA, whole."""
    return "\n".join(["Licence of the data in this version", "", *licence_lines(sources), ""])
