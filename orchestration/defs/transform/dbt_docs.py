"""dbt's own documentation as one page that opens from a file: every model with its SQL, and the graph of them all.
What the site says of tables itself is in `publishing/site/pages/dictionary.py`; this page is linked from there."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.settings import Settings

# What the page shows a reader nothing of, and what is another one at each parse: without them equal projects have equal pages
# of 2.7 MB in place of 4 (2026-11-29).
LEFT_OUT = ("unit_tests", "disabled", "selectors", "group_map")
OF_A_NODE = ("created_at", "unrendered_config", "root_path")  # the last one is a folder of the machine
METADATA_KEPT = ("dbt_schema_version", "dbt_version", "project_name", "project_id", "adapter_type", "quoting")
KINDS = ("model", "seed")
# dbt 1.11's page asks for files that aren't there, once a model: an address that its script has yet to fill in, and one that
# its build never did. Each is put right, or the page is not used.
REPAIRS = (
    ('xlink:href="{{', 'ng-attr-xlink:href="{{'),
    ("${require('./assets/favicons/favicon.ico')}", "data:,"),
)


def documentation(dbt: DbtInProcess, settings: Settings, manifest: Path) -> Path:
    """The page, made once for each state of the project and kept in the home: it takes half a second, and is the same until
    the project changes. Raises dg.Failure if dbt can't make it, or makes another page than the repairs were written for."""
    slim = json.dumps(slimmed(json.loads(manifest.read_bytes())), sort_keys=True)
    digest = hashlib.sha256((slim + repr(REPAIRS)).encode()).hexdigest()[:16]
    kept = settings.home / "dbt" / "docs" / f"{digest}.html"
    if kept.is_file():
        return kept
    folder = kept.with_name(f".{digest}-{os.getpid()}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(slim, encoding="utf-8")
    made = dbt.document(settings, folder)
    mended = folder / kept.name
    mended.write_text(repaired(made.read_text(encoding="utf-8")), encoding="utf-8")
    for older in kept.parent.glob("*.html"):
        older.unlink()
    mended.replace(kept)
    shutil.rmtree(folder)
    return kept


def slimmed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with models, seeds and sources, this project's own macros, and nothing that changes from parse to parse.
    Example queries are told by the dictionary."""
    own = manifest["metadata"]["project_name"]
    nodes = {key: without_times(node) for key, node in manifest["nodes"].items() if node["resource_type"] in KINDS}
    kept = set(nodes) | set(manifest["sources"])
    metadata = {name: manifest["metadata"][name] for name in METADATA_KEPT if name in manifest["metadata"]}
    return (
        manifest
        | {name: {} for name in LEFT_OUT}
        | {
            # False, since the page would else fetch a script that counts its readers.
            "metadata": metadata | {"send_anonymous_usage_stats": False},
            "nodes": nodes,
            "sources": {key: without_times(source) for key, source in manifest["sources"].items()},
            "macros": {
                key: without_times(macro) for key, macro in manifest["macros"].items() if macro["package_name"] == own
            },
            **{
                way: {
                    key: [other for other in others if other in kept]
                    for key, others in manifest[way].items()
                    if key in kept
                }
                for way in ("parent_map", "child_map")
            },
        }
    )


def without_times(node: dict[str, Any]) -> dict[str, Any]:
    meta = {name: value for name, value in (node.get("meta") or {}).items() if name != "examples"}
    config = node.get("config") or {}
    return {name: value for name, value in node.items() if name not in OF_A_NODE} | {
        "meta": meta,
        "config": config | ({"meta": meta} if "meta" in config else {}),
    }


def repaired(page: str) -> str:
    missing = [wrong for wrong, _ in REPAIRS if wrong not in page]
    if missing:
        raise dg.Failure(
            f"Found a page of dbt's documentation without {' and '.join(missing)}; expected that of dbt 1.11, which is mended "
            "there. Do this: open the new page from a file in a browser, look at its console, and correct REPAIRS."
        )
    for wrong, right in REPAIRS:
        page = page.replace(wrong, right)
    return page
