"""What the data promises, and the gate that holds it to that: registry, verdicts, history of results.
No Dagster here, and great_expectations only inside expectations.py, at the moment a gate runs."""

from orchestration.quality.gate import run_gate
from orchestration.quality.history import read_history, results_of_run
from orchestration.quality.results import CheckResult, GateResult
from orchestration.quality.suites import SUITES

__all__ = ["SUITES", "CheckResult", "GateResult", "read_history", "results_of_run", "run_gate"]
