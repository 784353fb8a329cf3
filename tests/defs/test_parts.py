"""A history is taken in parts that fit into memory, and what stops one part stops no other."""

from datetime import date, timedelta

import pytest

from orchestration import __main__ as command_line
from orchestration.defs.parts import ROWS_AT_ONCE, parts_of, rows_expected
from orchestration.landing.folders import MANIFEST, DayFolder, write_json

DAY_1, DAY_2, DAY_3 = (date(2026, 10, 6) + timedelta(days=number) for number in range(3))


def land(settings, day: date, rows: int) -> None:
    folder = DayFolder(settings.landing_dir, "models", day).landed
    folder.mkdir(parents=True)
    write_json(folder / MANIFEST, {"rows": rows})


def test_parts_hold_as_many_days_as_have_so_many_rows_together():
    rows = {DAY_1: 4, DAY_2: 6, DAY_3: 11}
    assert parts_of([DAY_3, DAY_1, DAY_2], rows, at_once=10) == [[DAY_1, DAY_2], [DAY_3]]
    assert parts_of([DAY_1, DAY_2], rows, at_once=9) == [[DAY_1], [DAY_2]]
    assert parts_of([], rows, at_once=9) == []


def test_a_day_that_has_not_landed_is_expected_to_be_as_large_as_the_nearest(settings):
    assert rows_expected(settings, [DAY_1]) == {DAY_1: ROWS_AT_ONCE}
    land(settings, DAY_1, 100)
    land(settings, DAY_3 + timedelta(days=3), 900)
    assert rows_expected(settings, [DAY_1, DAY_2, DAY_3]) == {DAY_1: 100, DAY_2: 100, DAY_3: 100}
    assert rows_expected(settings, [DAY_3 + timedelta(days=2)]) == {DAY_3 + timedelta(days=2): 900}


@pytest.fixture
def runs(settings, monkeypatch) -> list[list[date]]:
    """What was run, and landed by it; the second day's run fails. What a run itself does is tested in tests/pipeline."""
    done = []

    def launch(_, days, **__):
        done.append(days)
        for day in days:
            land(settings, day, ROWS_AT_ONCE // 2)
        return DAY_2 not in days, ["no such revision"]

    monkeypatch.setenv("OBSERVATORY_HOME", str(settings.home))
    monkeypatch.setattr(command_line, "launch", launch)
    monkeypatch.setattr(command_line, "show", lambda _: 0)
    return done


def test_a_backfill_runs_part_after_part_and_says_that_one_failed(settings, runs, capsys):
    days = [DAY_1 + timedelta(days=number) for number in range(5)]

    assert command_line.main(["backfill", "--first", str(days[0]), "--last", str(days[-1])]) == 1

    # nothing was known of the first; two of the others fit together
    assert runs == [days[:1], days[1:3], days[3:]]
    said = capsys.readouterr().out
    assert f"{days[1]} to {days[2]}: 2 day(s) in this run, 2 after it" in said
    assert "no such revision" in said


def test_days_that_fit_are_one_run(settings, runs):
    land(settings, DAY_3 + timedelta(days=9), 10)

    assert command_line.main(["backfill", "--first", str(DAY_3), "--last", str(DAY_3 + timedelta(days=5))]) == 0
    assert len(runs) == 1
