"""Back to an older version by hand: which ones there are, and how analysts are taken to one of them in one step.
Only the pointer moves: no version changes or goes, and the warehouse stays as it is; `what_is_next` says what that means."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from orchestration.publishing.current import (
    Version,
    current_link,
    point_current_at,
    publishing_lock,
    read_version,
    version_ids,
    versions_dir,
)
from orchestration.publishing.errors import NothingPublished, RollbackRefused, VersionDamaged
from orchestration.publishing.files import read_json
from orchestration.publishing.layout import MANIFEST_NAME
from orchestration.publishing.quality_facts import moment, score_in_words
from orchestration.publishing.status import read_status, write_status_locked
from orchestration.publishing.versions import note_retired, verify_hashes
from orchestration.settings import Settings

STEP = "rollback"


@dataclass(frozen=True)
class Replaced:
    """The version that analysts are taken away from: what is left of its manifest, for it may be damaged."""

    version_id: str
    days_added: tuple[date, ...]
    run_id: str


def roll_back(
    settings: Settings, version_id: str, *, why: str = "", at: datetime | None = None
) -> tuple[Replaced, Version]:
    """Make an older version current again; give what analysts saw until now, and what they see from now on.

    The files are held against the manifest first. `why` is for whoever reads `status.json`. A crash leaves one or the
    other version current; the same call again finishes what is left. Raises `NothingPublished`, `RollbackRefused` for a
    version that is not there or current already, `VersionDamaged` and `PublisherBusy`.
    """
    at = at or datetime.now(UTC)
    version = whole_version(
        settings, version_id
    )  # before the lock: reading gigabytes must not keep a publisher waiting
    with publishing_lock(settings):
        replaced = replaced_by(settings, version)
        point_current_at(settings, version.version_id)
        note_retired(settings, at)
        said = f"taken back by hand from version {replaced.version_id} to {version.version_id}"
        write_status_locked(
            settings,
            state="rolled_back",
            attempted_dates=replaced.days_added,
            step=STEP,
            reason=f"{said}: {why}" if why else said,
            run_id=replaced.run_id,
            at=at,
            rolled_back={
                "from": replaced.version_id,
                "to": version.version_id,
                "at": at.isoformat(),
                "reason": why or None,
            },
        )
    return replaced, version


def whole_version(settings: Settings, version_id: str) -> Version:
    """The version of this id, with every file as its manifest says."""
    current_id(settings)
    there = version_ids(settings)
    if version_id not in there:
        raise RollbackRefused(
            found=f"no version {version_id!r}" if version_id else "no VERSION",
            expected=f"one of {', '.join(reversed(there))}",
            do_this="choose one: make versions, then make rollback VERSION=…",
        )
    path = versions_dir(settings) / version_id
    try:
        verify_hashes(path)
    except VersionDamaged as error:
        raise VersionDamaged(
            found=f"version {version_id} damaged ({str(error).split('. Expected')[0]})",
            expected="every file as it was when it was published",
            do_this="choose another one: make versions; nothing was changed",
        ) from error
    return read_version(path)


def replaced_by(settings: Settings, version: Version) -> Replaced:
    """What the rollback takes analysts away from; also where a crash came between its swap and its status."""
    replaced = current_id(settings)
    if replaced == version.version_id:
        replaced = ((read_status(settings) or {}).get("last_good") or {}).get("version")
        if replaced in (None, version.version_id):
            raise RollbackRefused(
                found=f"version {version.version_id}, which is current already",
                expected="another one",
                do_this="choose one: make versions",
            )
    manifest = read_json(versions_dir(settings) / replaced / MANIFEST_NAME)
    days = manifest["snapshot_dates"]["added_by_run"] if manifest else []
    run_id = manifest["run_id"] if manifest else "unknown"
    return Replaced(replaced, tuple(date.fromisoformat(day) for day in days), run_id)


def current_id(settings: Settings) -> str:
    """The name of what `current` points to, be it damaged: that is a reason to go back."""
    link = current_link(settings)
    if not link.is_symlink():
        raise NothingPublished(
            found=f"nothing at {link}",
            expected="a published version",
            do_this="publish one first: the daily job, or `make demo`",
        )
    return link.resolve().name


def versions_table(settings: Settings) -> str:
    """A few lines of text: each version on the disk, newest first, and which one analysts see. Raises `NothingPublished`."""
    current = current_id(settings)
    folder, there = versions_dir(settings), version_ids(settings)
    whole = [
        read_version(folder / version_id) for version_id in there if (folder / version_id / MANIFEST_NAME).is_file()
    ]
    lines = [f"{'version':<28}{'created':<22}{'last day':<12}{'score':>6}"]
    for version in sorted(whole, key=lambda version: (version.created_at, version.version_id), reverse=True):
        day, score = version.snapshot_date or "–", score_in_words(version.manifest["quality"]["score"])
        mark = "  current" if version.version_id == current else ""
        lines.append(f"{version.version_id:<28}{moment(version.created_at):<22}{day!s:<12}{score:>6}{mark}")
    for version_id in sorted(set(there) - {version.version_id for version in whole}):
        mark = "  current" if version_id == current else ""
        lines.append(f"{version_id:<28}damaged: no {MANIFEST_NAME}{mark}")
    rolled_back = (read_status(settings) or {}).get("rolled_back")
    if rolled_back:
        why = f": {rolled_back['reason']}" if rolled_back["reason"] else ""
        lines += ["", f"Taken back by hand on {rolled_back['at'][:16]} from {rolled_back['from']}{why}"]
    return "\n".join(lines)


def what_is_next(replaced: Replaced) -> str:
    """What a rollback leaves to be done: the next run publishes from a warehouse that still holds what went wrong.

    It can't be taken back with the version: of the state before a run there is one copy, which is let go once the run has
    published, as a second one would cost the disk a whole warehouse.
    """
    days = ", ".join(day.isoformat() for day in replaced.days_added) or "not known"
    return (
        f"The warehouse still holds what {replaced.version_id} was made of (days that it added: {days}),\n"
        "and the next run publishes from it. Before that run, mend the cause:\n"
        "  the data of a day was wrong: fetch it again, with make run FORCE=yes on the day itself, else from an archive\n"
        "    (RUNBOOK.md); the run that does so replaces the day and publishes\n"
        "  a seed or a rule was wrong: put it right, and make rebuild\n"
        "  a day should not be there: make it break a promise that blocks (orchestration/quality/suites), and make rebuild,\n"
        "    which leaves it out\n"
        f"{replaced.version_id} stays on the disk for at least 24 hours; make versions lists it."
    )
