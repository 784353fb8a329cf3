"""Every day file of a version held against the warehouse, row by row. Used by tests of whole days as well."""

from pathlib import Path

import duckdb

from orchestration.publishing.day_files import FOLDER, VIEW
from orchestration.settings import Settings

ROWS = """
    select downloads.snapshot_date, repositories.repo_id, downloads.downloads, downloads.delta_status,
        downloads.days_spanned, downloads.age_days
    from intermediate.int_model_downloads_daily as downloads
    inner join intermediate.int_repositories_keyed as repositories on downloads.repo_key = repositories.repo_key
    where downloads.snapshot_date = ?
    order by repositories.repo_id
"""


def differing_days(settings: Settings, version: Path | None = None) -> list[str]:
    """Days whose file says otherwise than the warehouse, has another order, or is lacking or too many."""
    version = (version or settings.published_dir / "current").resolve()
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        calendar = [day for (day,) in connection.execute("select snapshot_date from marts.dim_snapshots").fetchall()]
        files = {path.stem: path for path in (version / FOLDER).iterdir()}
        wrong = sorted({str(day) for day in calendar} ^ files.keys())
        for day in calendar:
            expected = connection.execute(ROWS, [day]).fetchall()
            # as it lies in the file
            found = connection.execute(f"from read_parquet('{files[str(day)]}')").fetchall()
            if found != expected:
                wrong.append(str(day))
        of_warehouse = connection.execute(
            "select count(*), sum(downloads) from intermediate.int_model_downloads_daily"
        ).fetchone()
    with duckdb.connect(str(version / "observatory.duckdb"), read_only=True) as connection:
        of_view = connection.execute(f"select count(*), sum(downloads) from marts.{VIEW}").fetchone()
    return wrong if of_view == of_warehouse else [*wrong, f"{of_view} instead of {of_warehouse}"]


def inodes(version: Path) -> dict[str, int]:
    """The file that is behind each day of a version."""
    return {path.stem: path.stat().st_ino for path in (version / FOLDER).iterdir()}
