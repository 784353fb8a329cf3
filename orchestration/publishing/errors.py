"""What can go wrong between the warehouse and a published version, each said as found, expected and what to do.
Errors of the Hub and of landing live beside their code."""

from orchestration.hub.errors import ObservatoryError

# How DuckDB says that another process has the file open; part of a longer sentence.
LOCKED = "Could not set lock on file"


class PublishingError(ObservatoryError):
    """Base of the errors of this package; the last good version stays visible whenever one is raised."""

    def __init__(self, *, found: str, expected: str, do_this: str) -> None:
        super().__init__(f"Found {found}", expected=expected, do_this=do_this)


class WarehouseUnavailable(PublishingError):
    """The warehouse isn't there, or something else holds it open."""


class WarehouseBusy(WarehouseUnavailable):
    """Another process is writing the warehouse, or has it open. It passes when that process ends."""


class AuditFailed(PublishingError):
    """The copy differs from the warehouse, or a table isn't fit to be public."""


class PublishRefused(PublishingError):
    """The candidate wasn't checked, or failed its checks, or is incomplete."""


class VersionExists(PublishingError):
    """A version of this id was published before, with other contents or in another's place."""


class VersionDamaged(PublishingError):
    """A published folder isn't as its manifest says."""


class RollbackRefused(PublishingError):
    """There is no such version to go back to."""


class PublisherBusy(PublishingError):
    """Another publisher holds the lock."""


class NothingPublished(PublishingError):
    """There is no current version to open."""


class NotAReadingStatement(PublishingError):
    """A query would write a file."""


class NoSuchTable(PublishingError):
    """No public table has that name."""


class ExportRefused(PublishingError):
    """The rows can't be had as they were asked for, or the file can't be written there."""
