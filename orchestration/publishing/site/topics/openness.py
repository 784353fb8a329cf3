"""Under which terms models may be used, by country: licences by class, gates, and who names the training data.
Classes are a seed's; a licence is what the repository declares and is never inherited."""

from orchestration.publishing.site.answers import Answer, Rows, ask, rows
from orchestration.publishing.site.figures import Figure
from orchestration.publishing.site.ground import LEADERS
from orchestration.publishing.site.topics.parts import Parts, composition_sql, parts_figure, parts_table, share_of
from orchestration.publishing.site.topics.topic import COMPARED, Story, Table, Topic, placed
from orchestration.publishing.site.words import count, percent

LICENCES = Parts(
    "openness",
    colours={
        "permissive": "#00916A",
        "copyleft": "#3A8FC4",
        "restricted": "#D55E00",
        "noncommercial": "#C4689B",
        "custom": "#B97F00",
        "unspecified": "#9A9A9A",
    },
    words={"noncommercial": "non-commercial", "custom": "its own terms", "unspecified": "no licence"},
)


def openness(story: Story) -> Topic:
    answer = ask(story.connection, composition_sql("mart_daily_openness", "openness"), story.on_day)
    heading, anchor = "Openness: licences, gates, training data", "openness"
    if not answer.rows:
        return Topic(anchor, heading, "No row of mart_daily_openness is of this day.")
    gates = rows(story.connection, GATES, story.on_day | {"metric": story.lead.metric})
    named = rows(story.connection, TRAINING_DATA, {"leaders": list(LEADERS)})
    return Topic(
        anchor,
        heading,
        finding(story, answer),
        (licences(story, answer),),
        (numbers(story, answer), gates_and_data(story, gates, named)),
    )


def finding(story: Story, answer: Answer) -> str:
    def of(code: str, terms: str) -> str:
        return percent(share_of(answer.rows, story.lead.metric, "uploader", code, "openness", terms))

    return (
        f"Permissive licences cover {of('CN', 'permissive')} of China’s {story.lead.phrase} and {of('US', 'permissive')} of the "
        f"United States’; restricted terms such as Llama’s or Gemma’s {of('CN', 'restricted')} and {of('US', 'restricted')}, by "
        "uploader."
    )


def licences(story: Story, answer: Answer) -> Figure:
    return parts_figure(
        story,
        answer,
        LICENCES,
        name="openness",
        title="Licences of what is downloaded, by country",
        by_what="class of licence",
        told_part="permissive",
        told_words="Permissive licences have",
        caption="Restricted: terms that forbid some uses or users (Llama, Gemma, RAIL). Its own terms: a licence that no class "
        "knows. No licence: none is declared. Where several are declared, the most restrictive counts.",
        definition="A seed classes each licence, with a reason. A repository's licence is what it declares, never that of the "
        "model that it was made from.",
    )


def numbers(story: Story, answer: Answer) -> Table:
    return parts_table(story, answer, LICENCES, label="Licences", column="Licence")


def gates_and_data(story: Story, gates: Rows, named: Rows) -> Table:
    """By country: what stands behind a gate, and what names a data set that it was trained on."""
    gated = {row["country_code"]: row for row in gates}
    data = {row["country_code"]: row for row in named}
    none: dict = {}
    return Table(
        "Gates, and training data that is named",
        (
            "Country",
            f"Behind a gate, of {story.lead.phrase}",
            "Such models",
            "Gate not told",
            "Names training data, of all listed models",
            "Such models",
            "Of all models",
        ),
        tuple(
            (
                story.name(code),
                percent(gated.get(code, none).get("gated_share")),
                count(gated.get(code, none).get("gated_models")),
                percent(gated.get(code, none).get("untold_share")),
                percent(data.get(code, none).get("share_of_models")),
                count(data.get(code, none).get("declaring")),
                count(data.get(code, none).get("models")),
            )
            for code in COMPARED
        ),
        frozenset(range(1, 7)),
    )


GATES = f"""
    with

    counted as (
        select *
        from marts.mart_daily_openness
        where snapshot_date = $snapshot_date
            and metric = $metric
            and attribution = 'uploader'
    ),

{placed()}

    select
        place as country_code,
        coalesce(sum(downloads) filter (where gated in ('auto', 'manual')), 0) / nullif(sum(downloads), 0) as gated_share,
        cast(coalesce(sum(models) filter (where gated in ('auto', 'manual')), 0) as bigint) as gated_models,
        coalesce(sum(downloads) filter (where gated not in ('auto', 'manual', 'none')), 0)
            / nullif(sum(downloads), 0) as untold_share
    from placed
    group by 1
    order by 1
"""

TRAINING_DATA = """
    with

    listed as (
        select models.uploader_country, models.declares_training_data, countries.is_eu_member
        from marts.dim_models as models
        left join marts.dim_countries as countries
            on models.uploader_country = countries.country_code
        where models.is_listed
    ),

    placed as (
        select uploader_country as country_code, declares_training_data
        from listed
        where uploader_country in (select unnest($leaders))
        union all
        select 'EU' as country_code, declares_training_data
        from listed
        where is_eu_member
        union all
        select '(world)' as country_code, declares_training_data
        from listed
    )

    select
        country_code,
        count(*) as models,
        count(*) filter (where declares_training_data) as declaring,
        count(*) filter (where declares_training_data) / nullif(count(declares_training_data), 0) as share_of_models
    from placed
    group by 1
    order by 1
"""
