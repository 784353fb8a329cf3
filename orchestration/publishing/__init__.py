"""From the warehouse's marts to what the world sees: a candidate, its audit, its report, and the next version.
No Dagster here, and nothing heavy at import: charts and templates are loaded when a report is drawn."""

from orchestration.publishing.candidate import Candidate, audit_candidate, build_candidate, load_candidate
from orchestration.publishing.current import Version, current_version, published_versions
from orchestration.publishing.errors import (
    AuditFailed,
    NothingPublished,
    PublisherBusy,
    PublishingError,
    PublishRefused,
    RollbackRefused,
    VersionDamaged,
    VersionExists,
    WarehouseBusy,
    WarehouseUnavailable,
)
from orchestration.publishing.query import open_current
from orchestration.publishing.rollback import roll_back, versions_table, what_is_next
from orchestration.publishing.site.build import Around, headline_image_markdown, render_report_into
from orchestration.publishing.status import read_status, write_status
from orchestration.publishing.versions import publish_candidate

__all__ = [
    "Around",
    "AuditFailed",
    "Candidate",
    "NothingPublished",
    "PublishRefused",
    "PublisherBusy",
    "PublishingError",
    "RollbackRefused",
    "Version",
    "VersionDamaged",
    "VersionExists",
    "WarehouseBusy",
    "WarehouseUnavailable",
    "audit_candidate",
    "build_candidate",
    "current_version",
    "headline_image_markdown",
    "load_candidate",
    "open_current",
    "publish_candidate",
    "published_versions",
    "read_status",
    "render_report_into",
    "roll_back",
    "versions_table",
    "what_is_next",
    "write_status",
]
