"""What happens when a step of the daily job raises: the published status says so, so that staleness is never silent.
Telling people is the alerts' business (`defs/alerts`)."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.run_days import days_to_tell
from orchestration.foreign_text import visible_lines
from orchestration.publishing import read_status, write_status


@dg.failure_hook(required_resource_keys={"settings"})
def record_failure(context: dg.HookContext) -> None:
    settings = context.resources.settings
    status = read_status(settings)
    if status and status["attempted"]["run_id"] == context.run_id:
        return  # what this run said first stands: a gate's reason, its first failure, or that it published
    error = context.op_exception
    write_status(
        settings,
        state="failed",
        attempted_dates=days_to_tell(context.instance.get_run_by_id(context.run_id)),
        step=context.op.name,
        reason=visible_lines(str(getattr(error, "description", None) or error)),
        run_id=context.run_id,
        at=datetime.now(UTC),
    )
