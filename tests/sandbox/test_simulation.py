"""The demo's world keeps its promises: real numbers on the first day, consistent counters after it, every phenomenon
written down in its truth. What only a made-up population has is tested in `test_population.py`."""

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from orchestration.sandbox.demo import write_demo_world
from orchestration.sandbox.organization_names import SEED_PATH, read_organizations
from orchestration.sandbox.sample import read_sample

STALLED, MISSING, RECOUNTED = date(2026, 10, 8), date(2026, 10, 10), date(2026, 10, 12)
LANDED = [date(2026, 10, day) for day in (6, 7, 8, 9, 11, 12, 13)]
TABLES = (
    "daily_downloads",
    "daily_downloads_before",
    "corrections",
    "events",
    "renames",
    "deletions",
    "absences",
    "recreations",
    "private_phases",
    "release_families",
    "lineage",
    "models",
    "countries",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_demo_world(tmp_path_factory.mktemp("demo") / "world")


@pytest.fixture(scope="module")
def sql(world):
    """Ask the world: `snapshots`, `steps` (each row beside its repository's previous one), and the tables of truth."""
    connection = duckdb.connect()
    folder = world.path
    connection.execute(
        f"""
        create table snapshots as
        select * replace (
            make_timestamp(epoch_us(createdAt)) as createdAt, make_timestamp(epoch_us(lastModified)) as lastModified
        )
        from read_parquet('{folder}/snapshot_date=*/*.parquet', hive_partitioning = true)
        """
    )
    for table in TABLES:
        connection.execute(f"create view {table} as select * from '{folder}/truth/{table}.parquet'")
    connection.execute("create table days as select distinct snapshot_date from snapshots")
    connection.execute(
        """
        create table steps as
        select *, lag(downloadsAllTime) over w as before, lag(snapshot_date) over w as date_before
        from snapshots where snapshot_date != date '2026-10-08' window w as (partition by _id order by snapshot_date)
        """
    )
    yield lambda query: connection.execute(query).fetchall()
    connection.close()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_world_names_its_days(world, sql):
    assert (world.days, world.missing_days) == (LANDED, [MISSING])
    assert (world.stalled_days, world.recounted_days) == ([STALLED], [RECOUNTED])
    folders = sorted(folder.name for folder in world.path.glob("snapshot_date=*"))
    assert folders == [f"snapshot_date={day}" for day in LANDED]
    assert sql("select * from events order by 1") == [
        (STALLED, "stalled"),
        (MISSING, "missing"),
        (RECOUNTED, "recounted"),
    ]


def test_world_says_that_it_is_simulated(world):
    described = json.loads((world.path / "sandbox.json").read_text())
    assert described["simulated"] is True
    assert described["seed"] == 7
    assert described["days"] == [day.isoformat() for day in LANDED]
    assert described["missing_days"] == ["2026-10-10"]
    assert described["models_on_first_day"] == world.models == 18_932
    assert "simulated" in described["description"]
    assert "No evidence" in described["description"]


def test_same_seed_gives_the_same_bytes_and_another_does_not(world, tmp_path):
    first = files_of(world.path)
    assert files_of(write_demo_world(tmp_path / "again").path) == first
    other = files_of(write_demo_world(tmp_path / "other", seed=8).path)
    assert set(other) == set(first)
    assert other["snapshot_date=2026-10-07/models.parquet"] != first["snapshot_date=2026-10-07/models.parquet"]


def test_writing_again_replaces_a_world_and_nothing_else(tmp_path):
    out = tmp_path / "world"
    write_demo_world(out, days=2)
    world = write_demo_world(out, days=1)
    assert [folder.name for folder in out.glob("snapshot_date=*")] == ["snapshot_date=2026-10-06"]
    assert world.path == out
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("keep")
    with pytest.raises(ValueError, match="holds something other than a simulated world"):
        write_demo_world(foreign, days=1)
    assert files_of(foreign) == {"notes.txt": b"keep"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine", "world"]


def test_impossible_days_are_refused(tmp_path):
    with pytest.raises(ValueError, match="start there or later"):
        write_demo_world(tmp_path / "early", first_day=date(2026, 10, 5))
    with pytest.raises(ValueError, match="at least one day"):
        write_demo_world(tmp_path / "none", days=0)
    assert not list(tmp_path.iterdir())


def test_first_day_shows_the_real_counts(sql):
    rows = sql(
        """
        select snapshots.id, downloads, likes, createdAt::date from snapshots join models using (_id)
        where snapshot_date = '2026-10-06' and sample_provenance = 'real'
        """
    )
    shown = {name: (downloads, likes, created) for name, downloads, likes, created in rows}
    sample = {
        row["name"]: (row["hf_downloads"], row["hf_likes"], row["release_date"]) for row in read_sample().to_pylist()
    }
    left_out = set(sample) - set(shown)
    assert len(shown) == 10_932
    assert {name.lower() for name in left_out} <= {name.lower() for name in shown}, (
        "only names that collide are left out"
    )
    assert shown == {name: sample[name] for name in shown}


def test_no_made_up_name_passes_for_a_real_model(sql):
    real_owners = {name.split("/")[0] for name in read_sample()["name"].to_pylist()}
    made_up = sql("select id from models where sample_provenance = 'simulated'")
    assert len(made_up) > 8_000
    for (name,) in made_up:
        owner, repository = name.split("/")
        assert owner.startswith("sim-") or (owner in real_owners and repository.startswith("Sandbox-"))


def test_tail_is_a_tiny_part_of_the_downloads(sql):
    [(models, share)] = sql(
        """
        select count(*) filter (sample_provenance = 'simulated'),
            sum(downloads) filter (sample_provenance = 'simulated') / sum(downloads)
        from snapshots join models using (_id) where snapshot_date = '2026-10-06'
        """
    )
    assert models == 8_000
    assert 0 < share < 0.005


def test_ids_are_the_hubs(sql):
    assert sql("select count(*) from snapshots where not regexp_full_match(_id, '[0-9a-f]{24}')") == [(0,)]
    wrong = "select count(*) from snapshots where ('0x' || _id[1:8])::bigint != epoch(createdAt)::bigint"
    assert sql(wrong) == [(0,)]
    doubles = "select snapshot_date from snapshots group by 1 having count(*) != count(distinct _id)"
    assert sql(doubles) == []
    colliding = "select snapshot_date from snapshots group by 1 having count(*) != count(distinct lower(id))"
    assert sql(colliding) == []
    bad_names = r"select id from snapshots where not regexp_full_match(id, '[A-Za-z0-9._-]{1,96}/[A-Za-z0-9._-]{1,96}')"
    assert sql(bad_names) == []
    assert sql("select count(*) from snapshots where author != split_part(id, '/', 1) or private") == [(0,)]


def test_oldest_repositories_have_the_floor_date(sql):
    floor = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
    assert sql("select epoch(min(createdAt))::bigint from snapshots") == [(int(floor.timestamp()),)]
    expected = sum(row <= date(2022, 3, 2) for row in read_sample()["release_date"].to_pylist())
    assert expected > 100
    query = f"""
        select count(*) from snapshots join models using (_id) where snapshot_date = '2026-10-06'
        and sample_provenance = 'real' and epoch(createdAt) = {int(floor.timestamp())} and _id[1:8] = '621ffdc0'
    """
    assert sql(query) == [(expected,)]


def test_nothing_is_seen_before_it_exists(sql):
    late = "select count(*) from snapshots where {} > snapshot_date + interval 12 hour"
    assert sql(late.format("createdAt")) == [(0,)]
    assert sql(late.format("lastModified")) == [(0,)]
    assert sql("select count(*) from snapshots where lastModified < createdAt") == [(0,)]


def test_thirty_day_counter_never_exceeds_the_all_time_one(sql):
    assert sql("select count(*) from snapshots where downloads > downloadsAllTime or downloads < 0 or likes < 0") == [
        (0,)
    ]


def test_thirty_day_counter_is_the_sum_of_the_last_thirty_days(sql):
    wrong = sql(
        """
        with daily as (select * from daily_downloads union all select * from daily_downloads_before),
        summed as (
            select days.snapshot_date, daily._id, sum(daily.downloads) as total
            from days join daily on daily.snapshot_date between days.snapshot_date - 29 and days.snapshot_date
            group by all
        )
        select snapshots.snapshot_date, id, snapshots.downloads, total
        from snapshots left join summed using (snapshot_date, _id)
        where snapshot_date != date '2026-10-08' and snapshots.downloads != coalesce(total, 0)
        """
    )
    assert wrong == []


def test_all_time_counter_moves_by_the_true_downloads_and_the_corrections(sql):
    """On days that count; a repository that was hidden for days is compared with its last counter before."""
    rows = sql(
        """
        with moved as (
            select snapshot_date, _id, downloads from daily_downloads
            union all select snapshot_date, _id, downloads from corrections
        ),
        expected as (
            select steps.snapshot_date, _id, sum(moved.downloads) as change
            from steps join moved using (_id)
            where moved.snapshot_date > steps.date_before and moved.snapshot_date <= steps.snapshot_date
            group by all
        )
        select count(*), count(*) filter (downloadsAllTime - before != coalesce(change, 0)),
            count(*) filter (change < 0)
        from steps left join expected using (snapshot_date, _id) where before is not null
        """
    )
    [(compared, wrong, fallen)] = rows
    assert compared > 90_000
    assert wrong == 0
    assert fallen > 5_000


def test_new_repository_starts_with_its_own_downloads(sql):
    wrong = sql(
        """
        select s.snapshot_date, s.id from snapshots s join models m using (_id)
        where m.public_date = s.snapshot_date and s.snapshot_date > date '2026-10-06'
        and s.snapshot_date != date '2026-10-08' and s.downloadsAllTime != coalesce((
            select sum(d.downloads) from daily_downloads d
            where d._id = s._id and d.snapshot_date <= s.snapshot_date), 0)
        """
    )
    assert wrong == []


def test_stalled_day_freezes_downloads_and_not_likes(sql):
    [(same, moved, likes)] = sql(
        """
        select count(*) filter (a.downloads = b.downloads and a.downloadsAllTime = b.downloadsAllTime),
            count(*) filter (a.downloads != b.downloads or a.downloadsAllTime != b.downloadsAllTime),
            sum(b.likes - a.likes)
        from snapshots a join snapshots b using (_id)
        where a.snapshot_date = '2026-10-07' and b.snapshot_date = '2026-10-08'
        """
    )
    assert same > 18_000
    assert moved == 0
    assert likes > 1_000
    new = "select max(downloads) from snapshots join models using (_id) where snapshot_date = public_date and {}"
    assert sql(new.format("public_date = '2026-10-08'")) == [(0,)]


def test_stall_and_recount_are_found_by_the_definition(sql):
    """Definition 8, over repositories with at least 1,000 all-time downloads."""
    rows = sql(
        """
        with s as (
            select snapshot_date, downloadsAllTime as now, lag(downloadsAllTime) over w as before
            from snapshots window w as (partition by _id order by snapshot_date)
        )
        select snapshot_date, avg((now = before)::int), median((now - before) / before)
        from s where before >= 1000 group by 1 order by 1
        """
    )
    days = {day: (unchanged, median) for day, unchanged, median in rows}
    assert [day for day, (unchanged, _) in days.items() if unchanged >= 0.95] == [STALLED]
    usual = [median for day, (_, median) in days.items() if day not in (STALLED, RECOUNTED)]
    assert max(usual) - min(usual) < 0.01
    assert days[RECOUNTED][1] < min(usual) - 0.05


def test_single_counters_fall(sql):
    falls = sql(
        """
        select downloadsAllTime - before, c.downloads from corrections c join steps using (snapshot_date, _id)
        where event = 'fallen'
        """
    )
    assert falls
    for shown, taken in falls:
        assert taken < shown < 0


def test_renames_and_transfers_keep_the_id(sql, world):
    moves = sql("select snapshot_date, _id, old_id, new_id, kind from renames")
    assert {kind for *_, kind in moves} == {"rename", "transfer"}
    for day, row_id, old_id, new_id, kind in moves:
        names = sql(
            f"select distinct id, snapshot_date >= date '{day}' from snapshots where _id = '{row_id}' order by 2"
        )
        assert names == [(old_id, False), (new_id, True)]
        assert (old_id.split("/")[0] == new_id.split("/")[0]) == (kind == "rename")
    served = pq.read_table(world.path / "renames.parquet").to_pylist()
    assert {(row["from_date"], row["_id"], row["old_id"], row["new_id"]) for row in served} == {
        move[:4] for move in moves
    }


def test_deleted_repositories_are_gone_from_their_day_on(sql):
    deletions = sql("select snapshot_date, _id from deletions")
    assert len(deletions) >= 4
    for day, row_id in deletions:
        seen = sql(f"select snapshot_date from snapshots where _id = '{row_id}' order by 1")
        assert [row[0] for row in seen] == [other for other in LANDED if other < day]
        assert sql(f"select count(*) from daily_downloads where _id = '{row_id}' and snapshot_date >= '{day}'") == [
            (0,)
        ]


def test_hidden_repositories_come_back(sql):
    absences = sql("select snapshot_date, returns_on, _id from absences")
    assert absences
    for gone, back, row_id in absences:
        seen = {row[0] for row in sql(f"select snapshot_date from snapshots where _id = '{row_id}'")}
        assert seen == {day for day in LANDED if not gone <= day < back}


def test_names_come_back_with_another_id(sql):
    recreations = sql("select snapshot_date, old__id, id, new__id, why_free from recreations")
    assert {why for *_, why in recreations} == {"deleted", "renamed"}
    for day, old, name, new, why in recreations:
        holders = sql(f"select snapshot_date, _id from snapshots where id = '{name}'")
        assert {row_id for when, row_id in holders if when >= day} == {new}
        assert {row_id for when, row_id in holders if when < day} == {old}
        still_there = sql(f"select count(*) from snapshots where _id = '{old}' and snapshot_date >= '{day}'")[0][0]
        assert (still_there > 0) == (why == "renamed")


def test_some_launches_were_prepared_in_private(sql):
    phases = sql("select _id, created_date, public_date from private_phases where public_date > '2026-10-06'")
    assert phases
    for row_id, created, public in phases:
        [(first_seen, created_at)] = sql(
            f"select min(snapshot_date), any_value(createdAt::date) from snapshots where _id = '{row_id}'"
        )
        assert first_seen == min(day for day in LANDED if day >= public)
        assert created_at == created
        assert (public - created).days >= 2


def test_labs_release_families_with_variants_and_others_copy_them(sql):
    releases = sql(
        "select release_id, any_value(family), count(*), min(public_date), any_value(released_at) from "
        "release_families group by 1"
    )
    assert len(releases) >= 5
    assert max(count for _, _, count, _, _ in releases) >= 4
    assert all(first == released for *_, first, released in releases)
    members = sql("select f._id, f.namespace, f.family, m.id from release_families f join models m using (_id)")
    assert all(name.startswith(f"{namespace}/{family}") for _, namespace, family, name in members)
    copies = sql(
        """
        select count(*) from lineage l join release_families f on l.parent__id = f._id join models m on m._id = l._id
        where relation = 'quantized' and split_part(m.id, '/', 1) != f.namespace
        """
    )
    assert copies[0][0] >= 5


def test_days_pass_the_completeness_bounds(sql):
    """Vanished ids well below 0.5 %, volume within [-0.5 %, +1 %] of the last landed day's."""
    for before, day in pairwise(LANDED):
        [(old, vanished, new)] = sql(
            f"""
            select count(*) filter (a._id is not null), count(*) filter (b._id is null), count(*) filter (a._id is null)
            from (from snapshots where snapshot_date = '{before}') a
            full join (from snapshots where snapshot_date = '{day}') b using (_id)
            """
        )
        assert vanished / old < 0.003
        assert -0.005 < (new - vanished) / old < 0.01


def test_struct_and_tags_tell_the_declared_lineage(sql):
    shown = sql(
        """
        select _id, parent._id, baseModels.relation, parent.id from snapshots, unnest(baseModels.models) as t(parent)
        where snapshot_date = '2026-10-06'
        """
    )
    declared = sql(
        """
        select l._id, parent__id, relation, parent_id from lineage l
        semi join snapshots s on s._id = l._id and s.snapshot_date = '2026-10-06' where declared_in = 'baseModels'
        """
    )
    assert set(shown) == set(declared)
    assert {relation for _, _, relation, _ in shown} == {"adapter", "finetune", "merge", "quantized"}
    without_tags = sql(
        """
        select count(*) from lineage l join snapshots s on s._id = l._id and s.snapshot_date = '2026-10-06'
        where not list_contains(tags, 'base_model:' || parent_id)
            or not list_contains(tags, 'base_model:' || relation || ':' || parent_id)
        """
    )
    assert without_tags == [(0,)]


def test_part_of_the_lineage_stands_in_tags_only(sql):
    counts = dict(sql("select declared_in, count(*) from lineage group by 1"))
    assert 0.05 < counts["tags"] / (counts["tags"] + counts["baseModels"]) < 0.25
    assert sql("select count(*) from lineage where parent__id is null and declared_in = 'tags'")[0][0] > 10


def test_parents_stand_in_the_struct_under_their_present_name(sql):
    wrong = sql(
        """
        select count(*) from (select snapshot_date, unnest(baseModels.models) as parent from snapshots) children
        left join snapshots parents on parents.snapshot_date = children.snapshot_date and parents._id = parent._id
        where parents.id is null or parents.id != parent.id
        """
    )
    assert wrong == [(0,)]


def test_every_namespace_is_an_organisation_or_a_person(sql, world):
    accounts = {row["name"]: row["type"] for row in pq.read_table(world.path / "accounts.parquet").to_pylist()}
    assert set(accounts.values()) == {"org", "user"}
    assert {row[0] for row in sql("select distinct author from snapshots")} <= set(accounts)
    assert len({name.lower() for name in accounts}) == len(accounts)
    assert {accounts[name] for name in ("Qwen", "meta-llama", "deepseek-ai", "openai")} == {"org"}
    assert all(
        kind == "user" for name, kind in accounts.items() if name.startswith("sim-") and not name.endswith("-labs")
    )


def test_names_alone_give_quantised_copies_away(sql):
    rows = dict(sql("select m.id, parent_id from lineage join models m using (_id) where sample_provenance = 'real'"))
    assert rows["Qwen/Qwen3-8B-FP8"] == "Qwen/Qwen3-8B"
    assert rows["lmstudio-community/Qwen3-30B-A3B-MLX-8bit"] == "Qwen/Qwen3-30B-A3B"
    assert rows["TheBloke/Mistral-7B-Instruct-v0.2-AWQ"] == "mistralai/Mistral-7B-Instruct-v0.2"
    assert "Qwen/Qwen3-8B" not in rows
    assert len(rows) > 1_500


@pytest.mark.skipif(not SEED_PATH.is_file(), reason="the seed of organisations is not there yet")
def test_no_number_depends_on_a_country(world, tmp_path):
    """With every country of the seed replaced only the truth's countries change."""
    changed = changed_countries(tmp_path / "organizations.csv")
    ours, theirs = files_of(world.path), files_of(write_demo_world(tmp_path / "world", organizations=changed).path)
    assert {name for name in ours if ours[name] != theirs.get(name)} == {"truth/countries.parquet"}


def changed_countries(path: Path) -> Path:
    """The seed with other countries, of the names that made-up worlds know."""
    table = csv.read_csv(SEED_PATH, convert_options=csv.ConvertOptions(strings_can_be_null=False))
    types = read_organizations().types
    table = table.filter(pc.is_in(table["namespace"], pa.array(list(types))))
    known = pa.array([types[name] for name in table["namespace"].to_pylist()])
    table = table.set_column(table.column_names.index("organization_type"), "organization_type", known)
    for column in ("country_code", "secondary_country_code"):
        position = table.column_names.index(column)
        table = table.set_column(position, column, pa.array(["AQ"] * table.num_rows))
    csv.write_csv(table, path)
    return path
