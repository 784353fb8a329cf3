"""Our countries beside what others say: three published tables, name by name, and six real days of downloads with both sums.
What is printed (`-s`) is the list of agreements and disagreements; what our own table has to be like is tested with the seeds."""

import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass

import duckdb
import pytest

from tests.dbt.test_seeds import COUNTRIES, ORGANIZATIONS, SEEDS, USER_CODES, read_seed

pytestmark = pytest.mark.real_data

EVIDENCE = read_seed("organization_evidence")
DECIDED = {row["namespace"].lower(): row for row in ORGANIZATIONS if not row["valid_to"]}
REGION_OF = {row["country_code"]: row["region"] for row in COUNTRIES}
# Names of countries that Epoch spells as the United Nations do.
LONG_NAMES = {
    "United States of America": "US",
    "United Kingdom of Great Britain and Northern Ireland": "GB",
    "Korea (Republic of)": "KR",
}
CODE_OF = {row["country_name"]: row["country_code"] for row in COUNTRIES} | LONG_NAMES


@dataclass(frozen=True, order=True)
class Word:
    """What a source says about one of our namespaces: its own word, and whether our code fits it."""

    source: str
    namespace: str
    stated: str
    decided: str
    agrees: bool

    def __str__(self) -> str:
        return (
            f"{self.source:<15} {self.namespace:<22} says {self.stated:<16} decided {self.decided:<3} {self.reason()}"
        )

    def reason(self) -> str:
        """From our evidence, of this account or of another one of the same parent."""
        parent = DECIDED[self.namespace.lower()]["parent_organization"]
        about = [row for row in EVIDENCE if row["source"] == self.source and row["reason"]]
        own = [row for row in about if row["namespace"].lower() == self.namespace.lower()]
        kin = [row for row in about if DECIDED[row["namespace"].lower()]["parent_organization"] == parent]
        return (own or kin or [{"reason": ""}])[0]["reason"]


def fits_region(region: str, code: str) -> bool:
    """ATOM's regions: us, china, eu (Europe), other; `unknown` is what it says of those without a single base."""
    if region in {"us", "china"}:
        return code == {"us": "US", "china": "CN"}[region]
    if region == "eu":
        return REGION_OF[code] == "Europe"
    if region == "other":
        return code not in USER_CODES | {"US", "CN"} and REGION_OF[code] != "Europe"
    return code in USER_CODES


def tracked_regions(shared_data) -> dict[str, str]:
    with (shared_data / "tracked_models" / "organization_regions.csv").open(encoding="utf-8", newline="") as file:
        return {row["hf_org"]: row["region"] for row in csv.DictReader(file)}


def words_of_tracked_models(shared_data) -> list[Word]:
    return [
        Word("tracked_models", row["namespace"], region, code, fits_region(region, code))
        for namespace, region in tracked_regions(shared_data).items()
        if (row := DECIDED.get(namespace.lower())) and (code := row["country_code"])
    ]


def words_of_defenseclaw(shared_data) -> list[Word]:
    publishers = json.loads((shared_data / "defenseclaw" / "model_provenance.json").read_text())["publishers"]
    said = {
        namespace.lower(): publisher["country_code"]
        for publisher in publishers
        for namespace in (publisher["canonical_namespace"], *publisher["namespaces"])
    }
    return [
        Word("defenseclaw", row["namespace"], code, row["country_code"], code == row["country_code"])
        for namespace, code in said.items()
        if (row := DECIDED.get(namespace))
    ]


def words_of_epoch(shared_data) -> list[Word]:
    """By the organisation's name, else its parent's, where Epoch gives each organisation of a model its own country."""
    (file,) = (shared_data / "epoch").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        models = list(csv.DictReader(lines))
    countries_of: dict[str, Counter] = defaultdict(Counter)
    for model in models:
        organizations = model["Organization"].split(",")
        countries = model["Country (of organization)"].split(",")
        if len(organizations) == len(countries):
            for organization, country in zip(organizations, countries, strict=True):
                countries_of[plain(organization)][country.strip()] += 1
    words = []
    for row in DECIDED.values():
        found = countries_of.get(plain(row["organization"])) or countries_of.get(plain(row["parent_organization"]))
        if row["country_code"] != "XC" and found and (stated := found.most_common(1)[0][0]):
            words.append(
                Word("epoch", row["namespace"], stated, row["country_code"], CODE_OF.get(stated) == row["country_code"])
            )
    return words


def plain(name: str) -> str:
    """A name without case, signs and what stands in brackets."""
    return re.sub(r"\(.*?\)|[^a-z0-9]", "", name.lower())


SOURCES = {
    "tracked_models": (words_of_tracked_models, 90),
    "defenseclaw": (words_of_defenseclaw, 40),
    "epoch": (words_of_epoch, 90),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_disagreement_with_another_source_has_its_reason(source, shared_data):
    words_of, at_least = SOURCES[source]
    words = sorted(words_of(shared_data))
    differing = [word for word in words if not word.agrees]

    print(f"\n{source}: {len(words)} namespaces, {len(words) - len(differing)} agree, {len(differing)} do not")
    print(*differing, sep="\n")
    print("agree:", ", ".join(f"{word.namespace} {word.decided}" for word in words if word.agrees))

    # that a source was read and matched at all: each spoke of more than this when it was first compared (2026-11-24)
    assert len(words) >= at_least
    assert [str(word) for word in differing if not word.reason()] == []


def test_tracked_models_regions_are_read_one_by_one():
    assert fits_region("us", "US")
    assert not fits_region("us", "IL")
    assert not fits_region("china", "HK")
    assert fits_region("eu", "GB")
    assert not fits_region("eu", "XI")
    assert fits_region("other", "KR")
    assert not fits_region("other", "FR")
    assert fits_region("unknown", "XI")
    assert not fits_region("unknown", "US")


def test_our_evidence_quotes_the_sources_as_they_are(shared_data):
    regions = {namespace.lower(): region for namespace, region in tracked_regions(shared_data).items()}
    codes = {word.namespace.lower(): word.stated for word in words_of_defenseclaw(shared_data)}
    quoted = {"tracked_models": regions, "defenseclaw": codes}
    misquoted = [
        f"{row['source']} about {row['namespace']}: {row['stated']}"
        for row in EVIDENCE
        if row["source"] in quoted and quoted[row["source"]].get(row["namespace"].lower()) != row["stated"]
    ]

    assert misquoted == []


# --- six real days ----------------------------------------------------------------------------------------------------

DAYS = """
    with listed as (
        select
            cast(counter_date as date) as day,
            lower(split_part(id, '/', 1)) as namespace,
            downloads,
            row_number() over (partition by counter_date order by downloads desc, id) as place
        from read_parquet('{shared_data}/hub_trending/*.parquet')
    )
    select
        listed.*,
        coalesce(organizations.country_code, 'XX') as code,
        countries.region,
        countries.is_eu_member,
        countries.is_user_assigned,
        coalesce(regions.region, '(not listed)') as atom
    from listed
    left join read_csv('{seeds}/organizations.csv', all_varchar = true, nullstr = '') as organizations
        on listed.namespace = lower(organizations.namespace)
            and listed.day >= cast(organizations.valid_from as date)
            and listed.day < coalesce(cast(organizations.valid_to as date), date '9999-12-31')
    -- Namibia is NA
    left join read_csv('{seeds}/countries.csv', nullstr = '') as countries
        on coalesce(organizations.country_code, 'XX') = countries.country_code
    left join read_csv('{shared_data}/tracked_models/organization_regions.csv') as regions
        on listed.namespace = lower(regions.hf_org)
"""


@pytest.fixture(scope="module")
def real_days(shared_data):
    """Six days of the thousand trending models, each row with our code and ATOM's region."""
    with duckdb.connect() as connection:
        connection.execute(f"create table rows as {DAYS.format(shared_data=shared_data, seeds=SEEDS)}")
        assert connection.execute("select count(*), count(distinct day) from rows").fetchone() == (6000, 6)
        yield connection


@pytest.mark.parametrize("without_largest", [False, True], ids=["whole", "without-its-largest-repository"])
def test_nearly_all_real_downloads_are_classed_and_most_have_a_country(real_days, without_largest):
    covered = real_days.execute(
        """
        select
            day,
            sum(downloads) filter (code <> 'XX') / sum(downloads) as classed,
            sum(downloads) filter (not is_user_assigned or code = 'XI') / sum(downloads) as located
        from rows where place > ? group by day order by day
        """,
        [int(without_largest)],
    ).fetchall()
    for day, classed, located in covered:
        print(
            f"\n{day}{' without its largest' if without_largest else ''}: {classed:.4f} classed, {located:.4f} ISO or XI"
        )

    # the bounds that the table was made to (2026-11-24)
    assert [day for day, classed, _ in covered if classed < 0.97] == []
    assert [day for day, _, located in covered if located < 0.85] == []


# Looked for on 2026-11-24, and nothing was found that says who it is: it stays in XX rather than under a guess.
NOT_PLACED = {"octen"}


@pytest.mark.parametrize("of_day", [True, False], ids=["each-day", "all-days"])
def test_the_200_largest_accounts_are_classed(real_days, of_day):
    unknown = real_days.execute(
        f"""
        with accounts as (
            select {"day" if of_day else "null as day"}, namespace, any_value(code) as code, sum(downloads) as downloads
            from rows group by 1, 2
        )
        select * exclude (code) from accounts
        qualify row_number() over (partition by day order by downloads desc, namespace) <= 200 and code = 'XX'
        order by downloads desc
        """
    ).fetchall()
    print("\n", *sorted({namespace for _, namespace, _ in unknown}))

    assert {namespace for _, namespace, _ in unknown} <= NOT_PLACED


def test_atom_s_regions_beside_ours(real_days):
    ours = """
        case
            when code in ('US', 'CN') then code
            when is_eu_member then 'EU'
            when is_user_assigned then code
            when region = 'Europe' then 'Europe, not EU'
            else 'elsewhere'
        end
    """
    for name, column, firsts in (("ours", ours, {"US", "CN"}), ("ATOM", "atom", {"us", "china"})):
        rows = real_days.execute(
            f"""
            with sums as (select {column} as place, day, sum(downloads) as downloads from rows group by all)
            select place, day, downloads / sum(downloads) over (partition by day) as share
            from sums order by day, share desc
            """
        ).fetchall()
        by_day = defaultdict(dict)
        for place, day, share in rows:
            by_day[day][place] = share
        for day, shares in by_day.items():
            print(f"\n{name} {day}: " + ", ".join(f"{place} {share:.4f}" for place, share in shares.items()), end="")
            assert sum(shares.values()) == pytest.approx(1)
            assert firsts <= set(shares)
