"""The one job and when it runs. What the job consists of is decided by the assets themselves."""

import dagster as dg

from orchestration.defs.failures import record_failure
from orchestration.defs.partitions import snapshot_days

daily_snapshot = dg.define_asset_job(
    name="daily_snapshot",
    selection=dg.AssetSelection.all(),
    partitions_def=snapshot_days,
    hooks={record_failure},
    # A run whose process was lost is tried again whole: what it wrote may have been taken back for another run by then. What
    # has landed is not fetched again.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    description="One snapshot day from the Hub to a published version: land, judge, transform, judge, publish.",
)

# 12:00 UTC: the Hub's counters change once a day, between about 04 and 10 UTC; noon leaves two hours to spare and the whole
# working day of Europe to look at what came out.
daily_schedule = dg.build_schedule_from_partitioned_job(
    daily_snapshot,
    name="daily_snapshot_at_noon_utc",
    hour_of_day=12,
    description="Every day at 12:00 UTC, for that same day: the listing only knows now.",
)
