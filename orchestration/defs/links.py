"""Where a person goes on from the UI or a message: the runbook, and the pages of the published version.
A browser opens no file from a page that a server gave it: without an address in the settings it is a path to copy."""

import dagster as dg

from orchestration.settings import PROJECT_ROOT, Settings

RUNBOOK = "RUNBOOK.md"


def runbook(settings: Settings, anchor: str) -> str:
    """The paragraph of the runbook, as an address if there is one, else as file and heading."""
    return f"{settings.runbook_url or RUNBOOK}#{anchor}"


def runbook_link(settings: Settings, anchor: str) -> dg.MetadataValue:
    """The same for Dagster's metadata."""
    if settings.runbook_url:
        return dg.MetadataValue.url(runbook(settings, anchor))
    return dg.MetadataValue.path(f"{PROJECT_ROOT / RUNBOOK}#{anchor}")


def reading(settings: Settings) -> dict[str, dg.MetadataValue]:
    """Metadata that leads from a published version to what people read of it."""
    report = settings.published_dir / "current" / "report"
    pages = {"report": "index.html", "quality_page": "quality.html"}
    links = {
        name: dg.MetadataValue.url(f"{settings.report_url}/{page}")
        if settings.report_url
        else dg.MetadataValue.path(report / page)
        for name, page in pages.items()
    }
    dictionary = dg.MetadataValue.path(report.parent / "DICTIONARY.md")
    return links | {"dictionary": dictionary, "runbook": runbook_link(settings, "where-to-look")}
