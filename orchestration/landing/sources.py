"""Where a day's models come from: the live Hub for its own today, an archive for the past.
How each of them is read is in `listings` and `archive`; here is only the choice, made once for all days of a run."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from logging import getLogger

from orchestration.hub.archive import ARCHIVES
from orchestration.hub.errors import HubConfigurationError, HubUnavailable, HubUnreachable, ObservatoryError
from orchestration.landing.completeness import CompletenessBounds
from orchestration.landing.days import LandedDay
from orchestration.landing.errors import DayLocked, IncompleteDay, WrongDay
from orchestration.landing.listings import BOUNDS, land_models
from orchestration.settings import Settings

LOG = getLogger(__name__)

AUTO, LIVE = "auto", "live"


class NoSource(ObservatoryError):
    """Neither the live Hub nor an archive can tell the day: it is a gap, and nothing was written."""


class SourceUnavailable(NoSource):
    """The same, but a source could not be reached: it may have the day, and tell it later."""


# What concerns one day alone: the next one may well land.
OF_ONE_DAY = (WrongDay, IncompleteDay, DayLocked, NoSource)


class Sources:
    """The sources for the days of one run. Use as a context manager: archives' commits are listed once.

    `choice` is 'auto' (live, else the archives of `settings.archives` in their order), 'live', or an archive's name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        choice: str = AUTO,
        force: bool = False,
        progress: Callable[[str], None] = LOG.info,
        bounds: CompletenessBounds = BOUNDS,
    ):
        allowed = (AUTO, LIVE, *ARCHIVES)
        if choice not in allowed:
            raise ObservatoryError(
                f"The source {choice!r}", expected=f"one of {', '.join(allowed)}", do_this="correct the run's config"
            )
        self._settings, self._force, self._progress, self._bounds = settings, force, progress, bounds
        self._archives = settings.archives.split() if choice == AUTO else [] if choice == LIVE else [choice]
        self._is_live = choice in (AUTO, LIVE)
        self._hub_day: date | None = None
        self._gone: dict[str, ObservatoryError] = {}  # archives that can't be had: asked once, not once a day
        self._open = ExitStack()
        self._client = None

    def __enter__(self) -> "Sources":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def land(self, snapshot_date: date) -> LandedDay:
        """Land the day from the first source that has it. Raises one of `OF_ONE_DAY` where only this day can't be had, and
        the Hub's errors."""
        wrong_day = None
        if self._is_live and (self._hub_day is None or snapshot_date >= self._hub_day):
            try:
                return land_models(
                    snapshot_date,
                    self._settings,
                    force=self._force,
                    progress=self._progress,
                    bounds=self._bounds,
                )
            except WrongDay as error:
                self._hub_day, wrong_day = error.hub_day, error
                if snapshot_date > error.hub_day or not self._archives:
                    raise
        return self._land_from_archives(snapshot_date, wrong_day)

    def _land_from_archives(self, snapshot_date: date, wrong_day: WrongDay | None) -> LandedDay:
        from orchestration.landing.archive import NoRevision, StaleRevision, land_from_archive

        why_not: list[str] = []
        for archive in self._archives:
            try:
                if archive in self._gone:
                    raise self._gone[archive]
                return land_from_archive(
                    snapshot_date,
                    self._settings,
                    archive=archive,
                    force=self._force,
                    progress=self._progress,
                    bounds=self._bounds,
                    client=self._archive_client(),
                )
            except (NoRevision, StaleRevision) as error:
                why_not.append(str(error))
            except (HubConfigurationError, HubUnavailable, HubUnreachable) as error:
                self._gone[archive] = error
                why_not.append(str(error))
        is_down = any(isinstance(error, HubUnavailable | HubUnreachable) for error in self._gone.values())
        kind = SourceUnavailable if is_down else NoSource
        raise kind(f"{snapshot_date} can't be had: {' '.join(why_not)}") from wrong_day

    def _archive_client(self):
        if self._client is None:
            from orchestration.hub.archive_client import (
                ArchiveClient,
            )  # huggingface_hub's takes half a second to import

            self._client = self._open.enter_context(ArchiveClient(self._settings))
        return self._client
