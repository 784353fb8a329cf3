"""The unit of everything: one UTC day. No other partitioning exists, so that any asset can be asked for any day."""

import dagster as dg

# Start: the all-time download counter is public since 2025-02-27 (hub-stats archive); no measure of ours can be had for an
# earlier day. End offset 1: a snapshot shows the Hub as it is *now*, so today's partition must exist today.
snapshot_days = dg.DailyPartitionsDefinition(start_date="2025-02-27", timezone="UTC", end_offset=1)

# A range of days is one run: code takes a list of days, and start-up is the largest cost of a small run.
one_run_a_range = dg.BackfillPolicy.single_run()
