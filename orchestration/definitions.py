"""The one entry that Dagster loads: everything under `defs/`, plus what holds for the whole house.
Nothing is defined here: an asset, check, job or sensor belongs in the folder of its stage."""

from pathlib import Path

import dagster as dg

from orchestration.defs.sqlite_files import keep_open
from orchestration.settings import PROJECT_ROOT


@dg.definitions
def defs() -> dg.Definitions:
    keep_open()
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(PROJECT_ROOT) / "orchestration"),
        # On the Definitions, not only on the job: the UI's Materialize then runs in one process, too.
        dg.Definitions(executor=dg.in_process_executor),
    )
