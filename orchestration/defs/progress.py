"""Progress that a person follows: one logger, which the command line prints and Dagster keeps in the run's event log
(`managed_python_loggers` in dagster.yaml). Results do not go through here; they are metadata."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.foreign_text import visible_lines

LOG = logging.getLogger("observatory")


def tell(line: str) -> None:
    """A line of progress. It may quote a name or an error that somebody else wrote, and a terminal obeys escapes."""
    LOG.info("%s", visible_lines(line))


def warn(line: str) -> None:
    """Something to look at, which stops nothing."""
    LOG.warning("%s", visible_lines(line))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """One line when a step is done, with how long it took."""
    started = time.monotonic()
    yield
    tell(f"{what}: {time.monotonic() - started:.1f} s")
