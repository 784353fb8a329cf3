"""What assets ask for by parameter name: the settings, and dbt in this process. Nothing is opened at import."""

import dagster as dg

from orchestration.defs.transform.dbt_in_process import DbtInProcess
from orchestration.settings import Settings


@dg.definitions
def resources() -> dg.Definitions:
    settings = Settings()
    return dg.Definitions(resources={"settings": settings, "dbt": DbtInProcess()})
