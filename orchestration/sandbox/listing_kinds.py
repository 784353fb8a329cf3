"""The three listings of the Hub, and for each which properties, orders and parameters it knows: a table to be read.
How a query is answered from it belongs to `listing_query` and `routes`, the rows of a day to `snapshot_store`."""

from __future__ import annotations

from dataclasses import dataclass

MODEL_DEFAULT_FIELDS = (
    "likes",
    "trendingScore",
    "private",
    "downloads",
    "tags",
    "pipeline_tag",
    "library_name",
    "createdAt",
)

MODEL_FULL_FIELDS = (*MODEL_DEFAULT_FIELDS, "author", "sha", "lastModified", "gated", "disabled", "siblings")

MODEL_INFO_FIELDS = (*MODEL_FULL_FIELDS, "safetensors", "cardData", "config", "gguf")
"""What one model's page tells without `expand`."""

MODEL_INFO_EXPANDS = (
    "author",
    "baseModels",
    "cardData",
    "childrenModelCount",
    "config",
    "createdAt",
    "disabled",
    "downloads",
    "downloadsAllTime",
    "evalResults",
    "gated",
    "gguf",
    "inference",
    "inferenceProviderMapping",
    "lastModified",
    "library_name",
    "likes",
    "mask_token",
    "model-index",
    "pipeline_tag",
    "private",
    "resourceGroup",
    "safetensors",
    "sha",
    "siblings",
    "spaces",
    "tags",
    "transformersInfo",
    "trendingScore",
    "usedStorage",
    "widgetData",
    "xetEnabled",
    "gitalyUid",
)
"""Every property that one model can be asked for."""

JSON_FIELDS = (
    "safetensors",
    "baseModels",
    "cardData",
    "config",
    "gguf",
    "siblings",
    "transformersInfo",
    "evalResults",
    "resourceGroup",
    "runtime",
)
"""Fields that hold objects or lists; a snapshot may carry them as JSON text."""


@dataclass(frozen=True)
class ListingKind:
    """One listing: `/api/{name}`, its site's total at `/{name}-json`, and its days in a folder of snapshots."""

    name: str
    expands: tuple[str, ...]
    """What a row can be asked for with `expand`; nothing else is accepted."""
    default_fields: tuple[str, ...]
    """What it tells without `expand`, beside `_id` and `id`."""
    full_fields: tuple[str, ...]
    """What it tells with `full=true`."""
    columns: frozenset[str]
    """Every column that a snapshot may have, beside `_id` and `id`."""
    sorts: tuple[str, ...]
    not_sandboxed: tuple[str, ...]
    """Parameters that the live Hub answers and the sandbox cannot."""
    has_model_id: bool = False
    """Whether a row without `expand` says its name twice, as `modelId` too."""

    @property
    def path(self) -> str:
        return f"/api/{self.name}"


_SORTS = ("createdAt", "downloads", "lastModified", "likes", "trendingScore")

MODELS = ListingKind(
    name="models",
    # Two of one model's properties are known to be answered for one model only.
    expands=tuple(name for name in MODEL_INFO_EXPANDS if name not in ("childrenModelCount", "usedStorage")),
    default_fields=MODEL_DEFAULT_FIELDS,
    full_fields=MODEL_FULL_FIELDS,
    columns=frozenset(MODEL_INFO_EXPANDS),
    sorts=_SORTS,
    not_sandboxed=("apps", "inference", "inference_provider", "num_parameters", "skip", "emissions_thresholds"),
    has_model_id=True,
)

_DATASET_EXPANDS = (
    "author",
    "cardData",
    "citation",
    "createdAt",
    "description",
    "disabled",
    "downloads",
    "downloadsAllTime",
    "gated",
    "lastModified",
    "likes",
    "mainSize",
    "paperswithcode_id",
    "private",
    "resourceGroup",
    "sha",
    "siblings",
    "tags",
    "trendingScore",
    "usedStorage",
)
_DATASET_FIELDS = (
    "author",
    "sha",
    "lastModified",
    "private",
    "gated",
    "disabled",
    "description",
    "downloads",
    "likes",
    "trendingScore",
    "tags",
    "createdAt",
)
DATASETS = ListingKind(
    name="datasets",
    expands=_DATASET_EXPANDS,
    # No document says which fields come unasked; these are our choice (2026-11-24). Ask by `expand` to be sure.
    default_fields=_DATASET_FIELDS,
    full_fields=(*_DATASET_FIELDS, "cardData", "citation", "paperswithcode_id", "siblings"),
    columns=frozenset(_DATASET_EXPANDS),
    sorts=_SORTS,
    not_sandboxed=("skip",),
)

_SPACE_EXPANDS = (
    "author",
    "cardData",
    "createdAt",
    "datasets",
    "disabled",
    "lastModified",
    "likes",
    "models",
    "private",
    "resourceGroup",
    "runtime",
    "sdk",
    "sha",
    "siblings",
    "subdomain",
    "tags",
    "trendingScore",
    "usedStorage",
)
_SPACE_FIELDS = ("likes", "trendingScore", "private", "sdk", "tags", "createdAt")
SPACES = ListingKind(
    name="spaces",
    expands=_SPACE_EXPANDS,
    default_fields=_SPACE_FIELDS,  # our choice, as for datasets
    full_fields=(*_SPACE_FIELDS, "author", "sha", "lastModified", "cardData", "siblings"),
    columns=frozenset(_SPACE_EXPANDS),
    sorts=tuple(name for name in _SORTS if name in _SPACE_EXPANDS),
    not_sandboxed=("skip", "datasets", "models", "linked"),
)

LISTINGS: dict[str, ListingKind] = {kind.name: kind for kind in (MODELS, DATASETS, SPACES)}
