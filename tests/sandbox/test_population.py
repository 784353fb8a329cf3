"""A made-up Hub has everything the real one has, in any size and over any number of days, and its truth says what.
The counters and phenomena that it shares with the demo's world are tested in depth in `test_simulation.py`."""

from csv import DictReader
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from orchestration.sandbox.calendar_plan import plan_calendar
from orchestration.sandbox.made_up import ALL_TASKS
from orchestration.sandbox.organization_names import SEED_PATH, read_organizations
from orchestration.sandbox.population import write_population

FIRST_DAY = date(2026, 10, 6)
SEED_HEADER = (
    "namespace,valid_from,valid_to,organization,parent_organization,organization_type,"
    "country_code,secondary_country_code"
)
SEED_ROWS = [
    "lab-one,1900-01-01,2026-10-07,One,One,industry,CN,",
    "lab-one,2026-10-07,,One,One,industry,SG,",
    "lab-two,1900-01-01,,Two,Two,industry,US,",
    "lab-three,1900-01-01,,Three,Three,academia,NA,",
    "lab-four,1900-01-01,,Four,Four,nonprofit,FR,US",
    "lab-five,1900-01-01,2020-01-01,Five,Five,government,DE,",
    "copier,1900-01-01,,Copier,Copier,repackager,XC,",
    "somebody,1900-01-01,,Somebody,Somebody,individual,XC,",
]


@pytest.fixture(scope="module")
def seed_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("seed") / "organizations.csv"
    path.write_text("\n".join([SEED_HEADER, *SEED_ROWS]) + "\n")
    return path


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    return write_population(tmp_path_factory.mktemp("population") / "world", models=4_000, days=8, seed=3)


@pytest.fixture(scope="module")
def sql(population):
    connection = duckdb.connect()
    connection.execute(
        f"create table snapshots as select * from read_parquet('{population.path}/snapshot_date=*/*.parquet', "
        "hive_partitioning = true)"
    )
    for file in (population.path / "truth").glob("*.parquet"):
        connection.execute(f"create view {file.stem} as select * from '{file}'")
    yield lambda query: connection.execute(query).fetchall()
    connection.close()


def table(world, name: str) -> list[dict]:
    return pq.read_table(world.path / "truth" / f"{name}.parquet").to_pylist()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("models", [200, 777, 4_000])
def test_first_day_has_exactly_the_models_asked_for(tmp_path, models):
    world = write_population(tmp_path / "world", models=models, days=1, seed=1)
    assert world.days == [FIRST_DAY]
    shown = pq.read_table(tmp_path / "world" / "snapshot_date=2026-10-06" / "models.parquet")
    assert shown.num_rows == world.models == models


def test_same_seed_gives_the_same_bytes(population, tmp_path):
    again = write_population(tmp_path / "again", models=4_000, days=8, seed=3)
    assert files_of(again.path) == files_of(population.path)


def test_every_task_occurs(sql):
    shown = dict(sql("select pipeline_tag, count(*) from snapshots where snapshot_date = '2026-10-06' group by 1"))
    assert {task.pipeline_tag for task in ALL_TASKS} <= set(shown)
    assert {"text-to-image", "image-to-video", "text-to-video"} <= set(shown)
    assert 0.1 < shown[None] / 4_000 < 0.35


def test_licences_gates_and_sizes_are_mixed(sql):
    gates = dict(sql("select gated, count(*) from snapshots where snapshot_date = '2026-10-06' group by 1"))
    assert set(gates) == {"false", "auto", "manual"}
    assert gates["false"] > 3_500
    licences = dict(
        sql(
            """
            select len(list_filter(tags, lambda tag: starts_with(tag, 'license:'))), count(*)
            from snapshots where snapshot_date = '2026-10-06' group by 1
            """
        )
    )
    assert set(licences) == {0, 1, 2}
    sizes = "select min(safetensors.total), max(safetensors.total), count(safetensors), count(*) from snapshots"
    [(smallest, largest, known, rows)] = sql(sizes)
    assert smallest < 1e8
    assert largest > 2e11
    assert 0.2 < known / rows < 0.7
    assert sql(
        "select count(*) from snapshots where safetensors.total != list_sum(map_values(safetensors.parameters))"
    ) == [(0,)]
    assert sql("select count(*) from snapshots where disabled")[0][0] < 40


def test_lineage_has_all_relations_and_several_depths(sql):
    relations = dict(sql("select relation, count(distinct _id) from lineage group by 1"))
    assert set(relations) == {"adapter", "finetune", "merge", "quantized"}
    assert min(relations.values()) > 20
    several = "select max(parents) from (select count(*) as parents from lineage where relation = 'merge' group by _id)"
    assert sql(several) == [(3,)]
    depth = sql(
        """
        with recursive up as (
            select _id, parent__id, 1 as depth from lineage where parent__id is not null
            union all
            select up._id, l.parent__id, depth + 1 from up join lineage l on l._id = up.parent__id
            where l.parent__id is not null and depth < 6
        )
        select max(depth) from (select * from up where _id != parent__id)
        """
    )
    assert depth[0][0] >= 4


def test_lineage_has_cycles_and_parents_that_are_not_there(sql):
    edge = "lineage {0} on {0}._id = {1}.parent__id"
    itself = sql("select count(*) from lineage where _id = parent__id")
    pair = sql(
        f"select count(*) from lineage a join {edge.format('b', 'a')} where b.parent__id = a._id and a._id != b._id"
    )
    ring = sql(
        f"select count(*) from lineage a join {edge.format('b', 'a')} join {edge.format('c', 'b')} "
        "where c.parent__id = a._id and a._id != b._id and b._id != c._id"
    )
    assert (itself, pair, ring) == ([(1,)], [(2,)], [(3,)])
    missing = sql("select parent_id, declared_in from lineage where parent__id is null")
    assert len(missing) > 10
    assert {declared for _, declared in missing} == {"tags"}
    assert sql("select count(*) from snapshots semi join lineage on parent_id = id and parent__id is null") == [(0,)]


def test_counters_are_consistent(sql):
    assert sql("select count(*) from snapshots where downloads > downloadsAllTime") == [(0,)]
    wrong = sql(
        """
        with daily as (select * from daily_downloads union all select * from daily_downloads_before)
        select count(*) from snapshots s where snapshot_date = '2026-10-13' and downloads != coalesce((
            select sum(downloads) from daily
            where daily._id = s._id and daily.snapshot_date between date '2026-09-14' and date '2026-10-13'), 0)
        """
    )
    assert wrong == [(0,)]


def test_labs_families_make_releases_of_variants(sql, population):
    rows = table(population, "release_families")
    releases: dict[str, list[dict]] = {}
    for row in rows:
        releases.setdefault(row["release_id"], []).append(row)
    assert len(releases) > 100
    assert any(len(members) >= 5 for members in releases.values())
    for release_id, members in releases.items():
        assert release_id in {row["_id"] for row in members}
        assert len({(row["namespace"], row["family"]) for row in members}) == 1
        assert {row["released_at"] for row in members} == {min(row["public_date"] for row in members)}
        assert max(row["public_date"] - row["released_at"] for row in members) <= timedelta(days=14)
    assert any(row["public_date"] > FIRST_DAY for row in rows)
    families = {(row["namespace"], row["family"]) for row in rows}
    assert len(families) < len(releases), "some families have updates, which are releases of their own"


def test_labs_release_at_their_own_pace(population):
    dates: dict[str, set[date]] = {}
    for row in table(population, "release_families"):
        dates.setdefault(row["namespace"], set()).add(row["released_at"])
    spans = {name: (max(found) - min(found)).days / len(found) for name, found in dates.items() if len(found) >= 3}
    assert len(spans) >= 10
    assert max(spans.values()) > 4 * min(spans.values())


@pytest.mark.parametrize(("models", "seed"), [(200, 1), (200, 2), (600, 1), (4_000, 9)])
def test_every_phenomenon_is_met_in_eight_days(tmp_path, models, seed):
    world = write_population(tmp_path / "world", models=models, days=8, seed=seed)
    for name in ("deletions", "absences", "recreations", "private_phases", "release_families", "lineage"):
        assert table(world, name), name
    assert {row["kind"] for row in table(world, "renames")} == {"rename", "transfer"}
    assert {row["event"] for row in table(world, "corrections")} == {"recounted", "fallen"}
    assert {row["event"] for row in table(world, "events")} == {"stalled", "missing", "recounted"}


def test_vanished_ids_stay_below_the_completeness_bound(sql):
    rows = sql(
        """
        select d.snapshot_date, count(*) from (
            select snapshot_date, _id from deletions union all select snapshot_date, _id from absences) d group by 1
        """
    )
    assert rows
    assert max(count for _, count in rows) <= 0.003 * 4_000


@pytest.mark.parametrize("days", [1, 2, 3, 5])
def test_short_worlds_have_what_there_is_room_for(tmp_path, days):
    world = write_population(tmp_path / "world", models=300, days=days, seed=4)
    assert len(world.days) + len(world.missing_days) == days
    assert len(list(world.path.glob("snapshot_date=*"))) == len(world.days)
    assert bool(table(world, "deletions")) == (days > 1)


def test_calendar_repeats_its_events_in_long_worlds():
    calendar = plan_calendar(130)
    assert sorted(calendar.stalled) == [2, 62, 122]
    assert sorted(calendar.missing) == [4, 64, 124]
    assert calendar.recounts == {40: 0.09, 100: -0.07, 126: 0.09}
    assert not (calendar.missing | calendar.stalled | set(calendar.recounts)) & set(calendar.event_days)
    with pytest.raises(ValueError, match="at least one day; found days=0"):
        plan_calendar(0)


def test_recount_upwards_gives_back(tmp_path):
    world = write_population(tmp_path / "world", models=200, days=101, seed=2)
    by_day: dict[date, int] = {}
    for row in table(world, "corrections"):
        if row["event"] == "recounted":
            by_day[row["snapshot_date"]] = by_day.get(row["snapshot_date"], 0) + row["downloads"]
    assert sorted(by_day) == world.recounted_days == [FIRST_DAY + timedelta(days=day) for day in (40, 100)]
    assert [total > 0 for _, total in sorted(by_day.items())] == [False, True]
    last = pq.read_table(world.path / f"snapshot_date={world.days[-1]}" / "models.parquet").to_pylist()
    assert all(row["downloads"] <= row["downloadsAllTime"] for row in last)


def test_labs_come_from_the_seed(tmp_path, seed_file):
    world = write_population(tmp_path / "world", models=400, days=2, seed=1, organizations=seed_file)
    labs = {row["namespace"] for row in table(world, "release_families")}
    assert labs <= {"lab-one", "lab-two", "lab-three", "lab-four", "lab-five"}
    assert len(labs) >= 3
    accounts = {row["name"]: row["type"] for row in pq.read_table(world.path / "accounts.parquet").to_pylist()}
    assert all(name in labs | {"copier"} or name.startswith("sim-") for name in accounts)
    assert {accounts[name] for name in labs} == {"org"}


def test_countries_are_joined_as_of_the_first_day(tmp_path, seed_file):
    world = write_population(tmp_path / "world", models=1_000, days=1, seed=1, organizations=seed_file)
    rows = {row["namespace"]: row for row in table(world, "countries")}
    known = {"lab-one": "CN", "lab-two": "US", "lab-three": "NA", "lab-four": "FR", "lab-five": "XX"}
    assert {name: rows[name]["country_code"] for name in known if name in rows} == {
        name: code for name, code in known.items() if name in rows
    }
    assert len(set(known) & set(rows)) >= 4
    made_up = [row for name, row in rows.items() if name.startswith("sim-")]
    assert {(row["account_type"], row["country_code"]) for row in made_up} == {("person", "XC"), ("organization", "XX")}


def test_no_number_depends_on_a_country(tmp_path, seed_file):
    changed = tmp_path / "changed.csv"
    rows = csv.read_csv(seed_file, convert_options=csv.ConvertOptions(strings_can_be_null=False))
    for column in ("country_code", "secondary_country_code"):
        position = rows.column_names.index(column)
        rows = rows.set_column(position, column, pa.array(["AQ"] * rows.num_rows))
    csv.write_csv(rows, changed)
    ours = files_of(write_population(tmp_path / "a", models=400, days=8, seed=5, organizations=seed_file).path)
    theirs = files_of(write_population(tmp_path / "b", models=400, days=8, seed=5, organizations=changed).path)
    assert {name for name in ours if ours[name] != theirs.get(name)} == {"truth/countries.parquet"}


def test_broken_seed_is_refused(tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("namespace,kind\nlab-one,industry\n")
    with pytest.raises(ValueError, match="organization_type"):
        read_organizations(broken)


def test_a_row_more_in_the_seed_moves_no_population():
    names = read_organizations()
    with SEED_PATH.open(encoding="utf-8", newline="") as file:
        assert {row["namespace"] for row in DictReader(file)} - names.types.keys()
    assert len(names.labs) > 50
    assert "Qwen" in names.labs
    assert names.repackagers


def test_every_name_is_placed_by_the_seed():
    """Else the truth counts a lab as nobody's."""
    with SEED_PATH.open(encoding="utf-8", newline="") as file:
        seeded = {row["namespace"] for row in DictReader(file)}
    assert set(read_organizations().types) - seeded == set()


def test_too_small_a_population_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 200 models; found 199"):
        write_population(tmp_path / "world", models=199, days=1, seed=1)
    assert not (tmp_path / "world").exists()
