"""How a version is cited: one sentence, and `CITATION.cff` (format 1.2.0) for programs that make references out of it.
What the data is under is for `licences`; the software's own citation lies in the repository."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from orchestration.publishing.layout import CITATION_NAME

AUTHORS = "Open Model Observatory contributors"
TITLE = "Open Model Observatory: downloads of open models on the Hugging Face Hub, by country of the developer"
# The format takes licences by their SPDX names only; of ours these are (2026-11-29).
SPDX = {"Apache-2.0", "ODbL-1.0"}


def citation_of(
    version_id: str,
    published_on: date,
    snapshot_dates: Mapping[str, Any],
    licence: Mapping[str, Any],
    is_simulated: bool,
) -> dict[str, str]:
    """For the manifest: `title`, `text` (the reference in one sentence) and `file`. Simulated data say so in both texts."""
    title = f"SIMULATED: {TITLE}" if is_simulated else TITLE
    first, last = snapshot_dates["first"], snapshot_dates["last"]
    days = f", days {first} to {last}" if first else ""
    under = f", {licence['license']}" if licence["license"] else ""
    warning = " Simulated by a sandbox Hub: no evidence of anything." if is_simulated else ""
    return {
        "title": title,
        "text": f"{AUTHORS} ({published_on:%Y}). {title}. Version {version_id}{days}. Data set{under}.{warning}",
        "file": CITATION_NAME,
    }


def citation_file(manifest: Mapping[str, Any]) -> str:
    """CITATION.cff of the version that the manifest is about."""
    cited, licence = manifest["cite"], manifest["data_licence"]
    dates = manifest["snapshot_dates"]
    abstract = (
        f"Tables of schema marts with {len(dates['complete'])} complete snapshot days of the Hugging Face Hub's model listing"
        + (f", {dates['first']} to {dates['last']}" if dates["first"] else "")
        + ". manifest.json has the hash of every file."
        + (f" SIMULATED: {manifest['simulation_note'] or 'made by a sandbox Hub.'}" if manifest["is_simulated"] else "")
    )
    lines = [
        "cff-version: 1.2.0",
        f"message: {_text('To cite these numbers, name the version: each one stays as it is.')}",
        "type: dataset",
        f"title: {_text(cited['title'])}",
        "authors:",
        f"  - name: {_text(AUTHORS)}",
        f"version: {_text(manifest['version'])}",
        f"date-released: {manifest['created_at'][:10]}",
        f"abstract: {_text(abstract)}",
        "identifiers:",
        "  - type: other",
        f"    value: {_text(manifest['version'])}",
        '    description: "Id of the version."',
    ]
    if licence["license"] in SPDX:
        lines.append(f"license: {licence['license']}")
    elif licence["url"]:
        lines.append(f"license-url: {_text(licence['url'])}")
    else:
        lines.append(f"# Licence: {licence['file']}")
    sources = [source for source in manifest["data_licences"] if source["dataset_url"]]
    if sources:
        lines.append("references:")
    for source in sources:
        lines += [
            "  - type: data",
            f"    title: {_text(source['dataset'])}",
            "    authors:",
            f"      - name: {_text(source['dataset'].split('/')[0])}",
            f"    url: {_text(source['dataset_url'])}",
        ]
    return "\n".join([*lines, "keywords:", "  - open models", "  - downloads", "  - Hugging Face", ""])


def _text(text: str) -> str:
    """A YAML scalar that means just this text: JSON's strings are YAML's, too."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
