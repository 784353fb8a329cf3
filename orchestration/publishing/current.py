"""Which version is current, which ones exist, and the lock that lets one publisher at a time change that.
Building and judging versions happens elsewhere; here is the pointer, and how to move it without a moment in between."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from orchestration.publishing.errors import PublisherBusy, VersionDamaged
from orchestration.publishing.files import read_json, sync_path
from orchestration.publishing.layout import DATABASE_NAME, MANIFEST_NAME
from orchestration.settings import Settings

LOCK_WAIT_SECONDS = 60.0  # sealing and swapping 2,500 models took 0.1 s (2026-11-24); a minute is ample
LOCK_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Version:
    """A published version: an immutable folder and its manifest."""

    path: Path
    version_id: str
    manifest: dict[str, Any]

    @property
    def database(self) -> Path:
        return self.path / DATABASE_NAME

    @property
    def report(self) -> Path:
        return self.path / "report" / "index.html"

    @property
    def snapshot_date(self) -> date | None:
        """The last complete snapshot day in it, None if it holds none."""
        last = self.manifest["snapshot_dates"]["last"]
        return date.fromisoformat(last) if last else None

    @property
    def created_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["created_at"])


def current_link(settings: Settings) -> Path:
    return settings.published_dir / "current"


def versions_dir(settings: Settings) -> Path:
    return settings.published_dir / "versions"


def current_version(settings: Settings) -> Version | None:
    """The version that analysts see, None before the first one. Raises `VersionDamaged` if it has no manifest."""
    link = current_link(settings)
    if not link.is_symlink():
        return None
    return read_version(link.resolve())


def published_versions(settings: Settings) -> list[Version]:
    """All versions on the disk, newest first."""
    versions = [read_version(versions_dir(settings) / version_id) for version_id in version_ids(settings)]
    return sorted(versions, key=lambda version: (version.created_at, version.version_id), reverse=True)


def version_ids(settings: Settings) -> list[str]:
    """The names of all versions on the disk, whole or not, in their order."""
    folder = versions_dir(settings)
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def read_version(path: Path) -> Version:
    manifest = read_json(path / MANIFEST_NAME)
    if manifest is None:
        raise VersionDamaged(
            found=f"no {MANIFEST_NAME} in {path}",
            expected="a version as it was published",
            do_this="point `published/current` to a whole version, or remove the folder by hand and publish again",
        )
    return Version(path=path, version_id=path.name, manifest=manifest)


def point_current_at(settings: Settings, version_id: str) -> None:
    """Make the version current in one step: whoever opens `current` gets the old one or the new one, never neither."""
    settings.published_dir.mkdir(parents=True, exist_ok=True)
    following = settings.published_dir / ".current.next"
    following.unlink(missing_ok=True)
    os.symlink(Path("versions") / version_id, following, target_is_directory=True)
    os.replace(following, current_link(settings))
    sync_path(settings.published_dir)


@contextmanager
def publishing_lock(settings: Settings, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold the only right to change `published/`; wait for another holder, then refuse with `PublisherBusy`.

    The kernel frees the lock of a process that died, so a crash leaves nothing to clean up.
    """
    settings.published_dir.mkdir(parents=True, exist_ok=True)
    with (settings.published_dir / ".lock").open("a") as lock:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise PublisherBusy(
                        found=f"another publisher at work in {settings.published_dir} for {wait_seconds:.0f} s",
                        expected="one publisher at a time",
                        do_this="wait for the other run to end, then run the day again",
                    ) from error
                time.sleep(LOCK_POLL_SECONDS)
        yield
