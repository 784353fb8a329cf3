"""The lock is what it says: exact versions with hashes for every direct dependency, and no address of an index."""

import re

from orchestration.settings import PROJECT_ROOT


def test_the_lock_has_a_hash_for_every_wheel_and_no_address():
    lock = (PROJECT_ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^([\w.\[\]-]+)==", lock, flags=re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.\[\]-]+==.*\\\n    --hash=sha256:", lock, flags=re.MULTILINE))
    wanted = re.findall(r"^([\w-]+)", (PROJECT_ROOT / "requirements.in").read_text(), flags=re.MULTILINE)
    assert {name.lower() for name in wanted} <= {name.split("[")[0].lower() for name in pinned}
