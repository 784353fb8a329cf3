"""Eight processes read while twenty days are published: no error, and every answer is one version's, whole.
How a version is made is tested elsewhere; what a reader may not do is in `test_query`."""

import json
import subprocess
import sys
from datetime import date, timedelta

import duckdb
import pytest

from orchestration.publishing import build_candidate, checkpoint, open_current, publish_candidate
from orchestration.publishing.day_files import VIEW
from orchestration.settings import PROJECT_ROOT

from .warehouse import PASSED, Contents, write_warehouse

READERS, DAYS = 8, 20
FIRST = date(2026, 10, 6)

# The program imports once and then divides, before any thread is there. Each reader opens `current` again and again:
# half of them as anybody does, half by our own helper. Of each version n everything tells n: the number of models, of
# days in the calendar, of day files, of rows in the table of days, and a sum over all days that each version changes.
READER = f"""
import json, os, sys, time
from pathlib import Path
import duckdb
from orchestration.settings import Settings
from orchestration.publishing.query import open_current
home, readers = Path(sys.argv[1]), int(sys.argv[2])
settings, stop = Settings(home=home), home / "stop"

def connect(number):
    if number % 2:
        return open_current(settings)
    return duckdb.connect(str(home / "published" / "current" / "observatory.duckdb"), read_only=True)

def version_told(connection):
    one = lambda sql: connection.execute(sql).fetchone()
    models, = one("select count(*) from marts.dim_models")
    days, = one("select count(*) from marts.dim_snapshots")
    recent, = one("select count(distinct snapshot_date) from marts.fct_daily_model_downloads")
    all_days, more = one(
        "select count(distinct snapshot_date), sum(downloads) "
        "from marts.{VIEW} where repo_id = printf('%024x', 0)"
    )
    told = {{models - 200, days - 1, recent - 1, all_days - 1, int(more)}}
    assert len(told) == 1, (models, days, recent, all_days, more)
    return told.pop()

def read(number):
    queries, seen, kept = 0, [], 0
    while True:
        last = stop.exists()
        with connect(number) as connection:
            seen.append(version_told(connection))
            queries += 4
            if number < 2 and not last:  # holds on to the old file while others are published
                time.sleep(0.5)
                assert version_told(connection) == seen[-1]
                queries, kept = queries + 4, kept + 1
        if last:
            return {{"reader": number, "queries": queries, "versions": len(set(seen)), "newest": max(seen), "kept": kept,
                    "is_in_order": seen == sorted(seen)}}
        time.sleep(0.3)

pipes = []
for number in range(readers):
    ours, theirs = os.pipe()
    if os.fork() == 0:
        try:
            answer = read(number)
        except BaseException as error:
            answer = {{"reader": number, "error": repr(error)}}
        os.write(theirs, json.dumps(answer).encode())
        os._exit(0)
    os.close(theirs)
    pipes.append(ours)
print("reading", flush=True)
for pipe in pipes:
    with os.fdopen(pipe) as answers:
        print(answers.read(), flush=True)
"""


def publish_day(settings, number: int) -> None:
    """Version `number`: a day more, a model more, and the day before written anew."""
    first = Contents(first_day=FIRST, days=1, missing=(), events={}, is_lean=True)
    day = FIRST + timedelta(days=number)
    checkpoint.begin(settings, owner=f"run-{number}", run_id=f"run-{number}")
    if number == 0:
        write_warehouse(settings.warehouse_path, first)
    else:
        with duckdb.connect(str(settings.warehouse_path)) as warehouse:
            warehouse.execute(ANOTHER_DAY.format(day=day, before=day - timedelta(days=1), number=number))
    candidate = build_candidate(settings, version_id=f"v{number:02}", run_id=f"run-{number}", snapshot_dates=[day])
    checkpoint.commit(settings, publish_candidate(settings, candidate, quality=[PASSED]))


# The first model has 0 downloads on the last day, and 1 on each day before it.
ANOTHER_DAY = """
    begin;
    insert into marts.dim_snapshots by name
        select * replace (date '{day}' as snapshot_date) from marts.dim_snapshots limit 1;
    insert into marts.dim_models by name
        select * replace (printf('%024x', 200 + {number}) as repo_id) from marts.dim_models limit 1;
    update intermediate.int_model_downloads_daily set downloads = downloads + 1 where snapshot_date = date '{before}';
    insert into intermediate.int_model_downloads_daily
        select date '{day}', range + 1, range * 7 % 1000, 'ok', 1, 30 from range(200);
    delete from intermediate.int_days_restated;
    insert into intermediate.int_days_restated values (date '{before}', 'openings'), (date '{day}', 'wholly');
    delete from marts.fct_daily_model_downloads;
    insert into marts.fct_daily_model_downloads
        select snapshot_date, repo_id, downloads, delta_status, days_spanned, age_days
        from intermediate.int_model_downloads_daily inner join intermediate.int_repositories_keyed using (repo_key);
    commit;
"""


def test_eight_readers_see_whole_versions_only_while_twenty_days_are_published(settings, record_property):
    publish_day(settings, 0)
    command = [sys.executable, "-c", READER, str(settings.home), str(READERS)]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as readers:
        try:
            assert readers.stdout.readline() == "reading\n", readers.stderr.read()
            for number in range(1, DAYS + 1):
                publish_day(settings, number)
        finally:
            (settings.home / "stop").touch()
        out, err = readers.communicate(timeout=120)
    assert readers.returncode == 0, err
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["error"] for answer in answers if "error" in answer] == []
    assert len(answers) == READERS
    for answer in answers:
        assert answer["newest"] == DAYS
        assert answer["is_in_order"]  # nobody is taken back
        assert answer["versions"] >= 2
    assert sum(answer["kept"] for answer in answers[:2]) >= 2
    figures = {
        "published": DAYS,
        "queries": sum(answer["queries"] for answer in answers),
        "versions_seen": [answer["versions"] for answer in answers],
        "errors": 0,
    }
    record_property("reading_while_writing", json.dumps(figures))
    print(figures)


def test_an_open_reader_keeps_nobody_from_publishing_and_can_finish(settings):
    """Also one that has opened the file by its plain path and is in the middle of a query."""
    publish_day(settings, 0)
    database = settings.published_dir / "current" / "observatory.duckdb"
    with duckdb.connect(str(database), read_only=True) as plain, open_current(settings) as ours:
        rows = plain.execute("select repo_id from marts.dim_models order by repo_id")
        assert rows.fetchone() == ("0" * 24,)
        publish_day(settings, 1)
        assert len(rows.fetchall()) == 199
        for connection in (plain, ours):
            assert connection.execute(f"select count(distinct snapshot_date) from marts.{VIEW}").fetchone() == (1,)
    with open_current(settings) as after:
        assert after.execute(f"select count(distinct snapshot_date) from marts.{VIEW}").fetchone() == (2,)


def test_a_published_database_is_not_to_be_written_by_anyone(settings):
    publish_day(settings, 0)
    database = settings.published_dir / "current" / "observatory.duckdb"
    assert database.stat().st_mode & 0o222 == 0
    with duckdb.connect(str(database), read_only=True) as plain, pytest.raises(duckdb.Error, match="read-only"):
        plain.execute("delete from marts.dim_models")
