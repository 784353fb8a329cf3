"""Why a day was not landed.
What goes wrong between us and the Hub is in `orchestration.hub.errors`."""

from datetime import date

from orchestration.hub.errors import ObservatoryError


class WrongDay(ObservatoryError):
    """The Hub only knows now, and now isn't the day that was asked for. Nothing was written."""

    def __init__(self, asked: date, hub_day: date):
        self.asked, self.hub_day = asked, hub_day
        super().__init__(
            f"The Hub's clock says {hub_day}, and it can't tell what {asked} was like",
            expected=f"the Hub's own current UTC day, {hub_day}",
            do_this=f"run the partition {hub_day}; the live listing only knows now, and a past day comes from an archive",
        )


class IncompleteDay(ObservatoryError):
    """The walk ended, but the completeness gate doesn't believe it. The rows stay aside, the last good day stands."""

    def __init__(self, snapshot_date: date, reason: str, work_folder: str):
        self.snapshot_date, self.reason = snapshot_date, reason
        super().__init__(
            f"{snapshot_date} is incomplete: {reason}",
            expected="a listing within the completeness bounds",
            do_this=(
                f"run the day again; if the source really is so, look at {work_folder} and land the day from Python with "
                "`bounds=CompletenessBounds(…)` that let it pass, and write down why"
            ),
        )


class DayLocked(ObservatoryError):
    """Another process is landing the same day."""


class StorageFull(ObservatoryError):
    """A file could not be written for want of space. What was written before it stands."""

    def __init__(self, path: str, cause: str):
        super().__init__(
            f"No room to write {path} ({cause})",
            expected="space for the day: about 110 MB per million rows",
            do_this="free some space, then run the same day again: it resumes after the last shard",
        )
