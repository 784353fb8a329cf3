"""The locks are what they say: exact versions with hashes for every direct dependency, and no address of an index."""

import re

import pytest

from orchestration.settings import PROJECT_ROOT


@pytest.mark.parametrize("name", ["requirements", "requirements-spark"])
def test_the_lock_has_a_hash_for_every_file_and_no_address(name):
    lock = (PROJECT_ROOT / f"{name}.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^([\w.\[\]-]+)==", lock, flags=re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.\[\]-]+==.*\\\n    --hash=sha256:", lock, flags=re.MULTILINE))
    wanted = re.findall(r"^([\w-]+)", (PROJECT_ROOT / f"{name}.in").read_text(), flags=re.MULTILINE)
    assert {name.lower() for name in wanted} <= {name.split("[")[0].lower() for name in pinned}


def test_both_engines_are_asked_by_the_same_dbt():
    """Parity is a promise about one dbt: what it writes into a query may change with its version."""
    pinned = [
        re.search(r"^dbt-core==(\S+)", (PROJECT_ROOT / name).read_text(), flags=re.MULTILINE)[1]
        for name in ("requirements.lock", "requirements-spark.lock")
    ]
    assert pinned[0] == pinned[1]
