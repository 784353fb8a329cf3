"""The headline in a terminal: countries' shares of new models' downloads in the current version, and what to keep in mind.
The same numbers with charts and claims are in the report (`report.py`)."""

from orchestration.publishing.query import open_current
from orchestration.settings import Settings

COUNTRIES_SHOWN = 8

HEADLINE = """
    select
        row_number() over (order by uploader.downloads desc) as place,
        coalesce(countries.country_name, uploader.country_code) as country,
        uploader.downloads,
        uploader.share,
        uploader.share_low,
        uploader.share_high,
        origin.share as share_by_origin
    from marts.mart_daily_country_share as uploader
    left join marts.mart_daily_country_share as origin
        on uploader.snapshot_date = origin.snapshot_date
        and uploader.metric = origin.metric
        and uploader.denominator = origin.denominator
        and uploader.country_code = origin.country_code
        and origin.attribution = 'origin'
    left join marts.dim_countries as countries
        on uploader.country_code = countries.country_code
    where uploader.metric = 'new_trailing_30d'
        and uploader.attribution = 'uploader'
        and uploader.denominator = 'all'
        and uploader.snapshot_date = (select max(snapshot_date) from marts.mart_daily_country_share)
    order by uploader.downloads desc, uploader.country_code
"""

SNAPSHOT = """
    select snapshot_date, is_simulated, models
    from marts.dim_snapshots
    where snapshot_date = (select max(snapshot_date) from marts.mart_daily_country_share)
"""


def headline_table(settings: Settings) -> str:
    """A few lines of text: the lead metric by country on the last day, with bounds. Raises `NothingPublished`."""
    with open_current(settings) as connection:
        rows = connection.execute(HEADLINE).fetchall()
        day, is_simulated, models = connection.execute(SNAPSHOT).fetchone()
    title = f"Share of the 30-day downloads of models less than a year old, {day} ({models:,} models)"
    lines = ["", ("SIMULATED · " if is_simulated else "") + title, ""]
    lines.append(f"{'developer based in':<28}{'downloads':>13}{'share':>9}{'bounds':>18}{'by origin':>12}")
    for _, country, downloads, share, low, high, by_origin in rows[:COUNTRIES_SHOWN]:
        bounds = f"{low:.1%} – {high:.1%}" if low is not None else "–"
        origin = f"{by_origin:.1%}" if by_origin is not None else "–"
        lines.append(f"{country[:27]:<28}{downloads:>13,}{share:>9.1%}{bounds:>18}{origin:>12}")
    rest = rows[COUNTRIES_SHOWN:]
    if rest:
        lines.append(
            f"{f'{len(rest)} others':<28}{sum(row[2] for row in rest):>13,}{sum(row[3] for row in rest):>9.1%}"
        )
    lines += ["", "Country of the developer, not of the downloader; downloads are requests, not users.", ""]
    return "\n".join(lines)
