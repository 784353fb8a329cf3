"""The oracle: every public table that history gives, by name, each row keyed by the table's grain.
How the values come about is in the other modules; comparing them with a warehouse is in `comparison`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.oracle.composition import Composition
from tests.oracle.observations import Observations
from tests.oracle.releases import Releases
from tests.oracle.seeds import Seeds, read_seeds
from tests.oracle.sensitivity import Sensitivity
from tests.oracle.shares import Shares, is_outlier

SHARE_COLUMNS = (
    "downloads", "total_downloads", "share", "rank", "share_low", "share_high", "share_without_top_repository",
    "share_without_outliers", "correction_downloads", "days_estimated", "models",
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows by key; `columns` names the values of a row."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: dict[tuple, tuple]


class Oracle:
    """`oracle.table("fct_releases")` is that table, worked out from the landing by brute force."""

    def __init__(self, landing: Path, seeds: Seeds | None = None):
        self.seen = Observations(landing, seeds or read_seeds())
        self.shares = Shares(self.seen)
        self.composition = Composition(self.shares)
        self.releases = Releases(self.shares)

    def table(self, name: str) -> Table:
        key, columns, rows = TABLES[name]
        return Table(name, key, columns, rows(self))


def _snapshots(oracle: Oracle) -> dict[tuple, tuple]:
    days = oracle.seen.days
    attempted = sorted(days.captures)
    rows = {}
    for day in days.calendar(attempted[0], attempted[-1]):
        capture, compared = days.captures.get(day), days.comparisons.get(day)
        moment = capture["captured_at"].replace(tzinfo=None) if capture else None
        told = [capture[name] if capture else None for name in CAPTURE_COLUMNS]
        rows[(day,)] = (
            capture["status"] if capture else "missing",
            days.events.get(day, "none"),
            moment,
            *told,
            compared.unchanged_share if compared else None,
            compared.median_relative_change if compared else None,
        )
    return rows


def _daily_downloads(oracle: Oracle) -> dict[tuple, tuple]:
    """`age_days` of a repository that vanished is by what its last sight says."""
    seen, days = oracle.seen, oracle.seen.days
    rows = {}
    for row in oracle.shares.daily:
        repo_id, observed = seen.repo_ids[row.repo], days.observed_on(row.day)
        if row.status == "vanished":
            observed = days.previous(row.day)
        age = days.listings[observed][repo_id].age_days(row.day)
        rows[row.day, repo_id] = (row.downloads, row.status, row.days_spanned, age)
    return rows


def _models(oracle: Oracle) -> dict[tuple, tuple]:
    """Each repository as on its latest sight."""
    seen, rows = oracle.seen, {}
    for repo, repo_id in enumerate(seen.repo_ids):
        day, row, attributed, traits = seen.latest_row(repo)
        uploader = attributed.uploader
        by_rule = any(is_outlier(count or 0, row.likes) for count in (row.downloads_all_time, row.downloads_30d))
        rows[(repo_id,)] = (
            row.model_id, row.namespace, uploader.organization, traits.family, oracle.releases.release_of.get(repo_id),
            row.created_at, seen.first_seen[repo], day, day == seen.days.last, row.pipeline_tag, traits.modality,
            traits.is_generative, row.library_name, traits.license, traits.openness, row.gated,
            traits.declares_training_data, traits.parameters, traits.parameters_source, traits.size_class,
            traits.is_distilled, traits.is_quantized, traits.is_moe, traits.is_seeded_outlier or by_rule,
            attributed.base_relation, attributed.base_repo_id, attributed.root_repo_id, uploader.country,
            attributed.origin.country, row.downloads_all_time or 0, row.downloads_30d or 0, row.likes,
        )  # fmt: skip
    return rows


def _history(oracle: Oracle) -> dict[tuple, tuple]:
    """Periods in which nothing changed, of the repositories that have several, or a closed one."""
    seen, rows = oracle.seen, {}
    for repo, repo_id in enumerate(seen.repo_ids):
        periods: list[list] = []  # valid_from, valid_to, what held
        for position, day in enumerate(seen.days.captured):
            held = _held(oracle, day, repo_id) if seen.is_listed[position, repo] else None
            is_open = bool(periods) and periods[-1][1] is None
            if is_open and held != periods[-1][2]:
                periods[-1][1] = day
                is_open = False
            if held is not None and not is_open:
                periods.append([day, None, held])
        if len(periods) > 1 or periods[0][1] is not None:
            rows |= {(repo_id, start): (*held, end) for start, end, held in periods}
    return rows


def _held(oracle: Oracle, day: date, repo_id: str) -> tuple:
    row, parents = oracle.seen.days.listings[day][repo_id], oracle.seen.attributed[day].attributed[repo_id].parents
    names = ";".join(sorted(parent.model_id for parent in parents)) or None
    license = oracle.seen.traits[day, repo_id].license
    return row.model_id, row.namespace, license, row.gated, row.pipeline_tag, names, row.is_disabled


def _parents(oracle: Oracle) -> dict[tuple, tuple]:
    """Declared parents, as on the child's latest sight."""
    rows = {}
    for repo, repo_id in enumerate(oracle.seen.repo_ids):
        day, _, attributed, _ = oracle.seen.latest_row(repo)
        for parent in attributed.parents:
            rows[repo_id, parent.model_id] = (parent.repo_id, parent.relation, day)
    return rows


CAPTURE_COLUMNS = (
    "source", "source_revision", "source_license", "counters_date", "models", "downloads_all_time", "is_simulated",
    "reason",
)  # fmt: skip

# name: key, columns, how the rows come about
TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Oracle], dict[tuple, tuple]]]] = {
    "dim_snapshots": (
        ("snapshot_date",),
        ("status", "platform_event", "captured_at", *CAPTURE_COLUMNS, "unchanged_share", "median_relative_change"),
        _snapshots,
    ),
    "fct_daily_model_downloads": (
        ("snapshot_date", "repo_id"),
        ("downloads", "delta_status", "days_spanned", "age_days"),
        _daily_downloads,
    ),
    "fct_daily_country_downloads": (
        ("snapshot_date", "attribution", "country_code", "account_type", "is_new"),
        ("downloads", "correction_downloads", "models"),
        lambda oracle: oracle.shares.country_downloads(),
    ),
    "mart_daily_country_share": (
        ("snapshot_date", "metric", "window_days", "attribution", "denominator", "country_code"),
        SHARE_COLUMNS,
        lambda oracle: oracle.shares.country_share,
    ),
    "mart_daily_organization_share": (
        ("snapshot_date", "metric", "window_days", "attribution", "country_code", "organization"),
        ("downloads", "share_of_country", "share_of_total"),
        lambda oracle: oracle.shares.organization_share(),
    ),
    "mart_country_crossovers": (
        ("crossover_date", "metric", "window_days", "attribution", "leader_country_code", "passed_country_code"),
        ("confirmed_date", "margin", "is_first"),
        lambda oracle: oracle.shares.crossovers(),
    ),
    "dim_models": (
        ("repo_id",),
        (
            "model_id",
            "namespace",
            "organization",
            "family",
            "release_id",
            "created_at",
            "first_seen_date",
            "last_seen_date",
            "is_listed",
            "pipeline_tag",
            "modality",
            "is_generative",
            "library_name",
            "license",
            "openness",
            "gated",
            "declares_training_data",
            "parameters",
            "parameters_source",
            "size_class",
            "is_distilled",
            "is_quantized",
            "is_moe",
            "is_outlier",
            "base_relation",
            "base_repo_id",
            "root_repo_id",
            "uploader_country",
            "origin_country",
            "downloads_all_time",
            "downloads_30d",
            "likes",
        ),
        _models,
    ),
    "dim_model_history": (
        ("repo_id", "valid_from"),
        ("model_id", "namespace", "license", "gated", "pipeline_tag", "base_models", "is_disabled", "valid_to"),
        _history,
    ),
    "bridge_model_parents": (
        ("repo_id", "parent_model_id"),
        ("parent_repo_id", "relation", "last_seen_date"),
        _parents,
    ),
    "mart_daily_family_share": (
        ("snapshot_date", "metric", "attribution", "organization", "family"),
        ("country_code", "downloads", "share_of_country", "share_of_total"),
        lambda oracle: oracle.composition.families(),
    ),
    "mart_daily_technique_share": (
        ("snapshot_date", "metric", "attribution", "country_code", "technique"),
        ("downloads", "share_of_country", "models"),
        lambda oracle: oracle.composition.techniques(),
    ),
    "mart_daily_concentration": (
        ("snapshot_date", "metric", "attribution", "scope", "entity"),
        ("hhi", "gini", "top_1_share", "top_10_share", "top_200_share", "effective_entities"),
        lambda oracle: oracle.composition.concentration(),
    ),
    "fct_releases": (
        ("release_id",),
        (
            "organization",
            "country_code",
            "family",
            "released_at",
            "release_date_source",
            "variants",
            "modality",
            "largest_parameters",
        ),
        lambda oracle: oracle.releases.release_rows(),
    ),
    "mart_weekly_release_frequency": (
        ("week_start", "organization"),
        ("country_code", "releases", "variants", "repositories"),
        lambda oracle: oracle.releases.weekly(),
    ),
    "mart_release_cadence": (
        ("snapshot_date", "level", "organization", "country_code"),
        (
            "releases",
            "variants",
            "variants_per_release",
            "median_days_between_releases",
            "active_week_share",
            "repository_week_share",
            "cadence",
        ),
        lambda oracle: oracle.releases.cadence(),
    ),
    "mart_daily_modality_share": (
        ("snapshot_date", "metric", "attribution", "country_code", "modality"),
        ("downloads", "share_of_country", "models", "new_models"),
        lambda oracle: oracle.composition.by_country_and("modality", with_new=True),
    ),
    "mart_daily_openness": (
        ("snapshot_date", "metric", "attribution", "country_code", "openness", "gated"),
        ("downloads", "share_of_country", "models"),
        lambda oracle: oracle.composition.by_country_and("openness", "gated"),
    ),
    "mart_daily_size_share": (
        ("snapshot_date", "metric", "attribution", "country_code", "size_class"),
        ("downloads", "share_of_country", "models"),
        lambda oracle: oracle.composition.by_country_and("size_class"),
    ),
    "mart_daily_lineage": (
        ("snapshot_date", "metric", "root_organization", "origin_country", "relation"),
        ("derivatives", "new_derivatives", "downloads", "share"),
        lambda oracle: oracle.composition.lineage(),
    ),
    "mart_monthly_independent_players": (
        ("month", "country_code", "threshold"),
        ("organizations", "top_2_share", "is_partial_month"),
        lambda oracle: oracle.composition.players(),
    ),
    "mart_relative_adoption": (
        ("repo_id", "milestone_days"),
        ("downloads", "size_class", "peer_median", "relative_adoption"),
        lambda oracle: oracle.releases.adoption(),
    ),
    "mart_attribution_coverage": (
        ("snapshot_date", "attribution", "basis"),
        ("classed_share", "located_share"),
        lambda oracle: oracle.composition.coverage(),
    ),
    "mart_attribution_sensitivity": (
        ("snapshot_date", "variant", "country_code"),
        (
            "metric",
            "window_days",
            "moved_organization",
            "moved_to",
            "downloads",
            "total_downloads",
            "share",
            "difference",
        ),
        lambda oracle: Sensitivity(oracle.shares).rows(),
    ),
    "mart_attribution_queue": (
        ("namespace",),
        ("downloads", "share", "models", "snapshot_date"),
        lambda oracle: oracle.composition.queue(),
    ),
}
