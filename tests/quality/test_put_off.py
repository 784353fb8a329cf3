"""A module that is put off is there for whoever asks it for something, and costs nobody else its import."""

import subprocess
import sys
from importlib import import_module

from orchestration.quality.put_off import put_off


def test_a_module_that_is_put_off_is_imported_when_something_in_it_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("ANSWER = 42\n")
    (tmp_path / "needs_it.py").write_text("import slow_to_import\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("slow_to_import", "needs_it"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    with put_off("slow_to_import"):
        needs_it = import_module("needs_it")
    assert "slow_to_import" not in sys.modules
    assert needs_it.slow_to_import.ANSWER == 42
    assert sys.modules["slow_to_import"].ANSWER == 42


def test_a_module_that_is_there_already_stays_the_same(monkeypatch):
    with put_off("json"):
        assert import_module("json").dumps({}) == "{}"
    assert sys.modules["json"].dumps({}) == "{}"


def test_a_gate_imports_neither_statistics_nor_charts():
    program = (
        "import sys; from orchestration.quality.expectations import _batch_definition; _batch_definition();"
        "print(sorted({'scipy.stats', 'altair'} & sys.modules.keys()));"
        "import scipy.stats, altair; print(scipy.stats.entropy([1, 1]) > 0, bool(altair.Chart))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == ["[]", "True True"]
