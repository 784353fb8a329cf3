"""Progress that a person follows: one logger, which the command line prints and Dagster keeps in the run's event log
(`managed_python_loggers` in dagster.yaml). Results do not go through here; they are metadata."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

tell = logging.getLogger("observatory").info
warn = logging.getLogger("observatory").warning  # something to look at, which stops nothing


@contextmanager
def timed(what: str) -> Iterator[None]:
    """One line when a step is done, with how long it took."""
    started = time.monotonic()
    yield
    tell(f"{what}: {time.monotonic() - started:.1f} s")
