"""What models put out: text, images, video and more, by country, over time for video, and how many new ones there are.
Also who puts out nothing that is declared."""

from orchestration.publishing.site.answers import Answer, ask
from orchestration.publishing.site.figures import Figure
from orchestration.publishing.site.ground import LEADERS
from orchestration.publishing.site.topics.parts import Parts, composition_sql, parts_figure, parts_table, share_of
from orchestration.publishing.site.topics.timeline import country_lines, lines_view
from orchestration.publishing.site.topics.topic import (
    COMPARED,
    WORLD,
    Story,
    Table,
    Topic,
    by_words,
    of_reading,
    placed,
    readings,
    switches_of,
)
from orchestration.publishing.site.words import count, percent

# From the Hub's tasks by a seed: what a generator puts out; what isn't generative, what it takes in.
MODALITIES = Parts(
    "modality",
    colours={
        "text": "#0072B2",
        "multimodal": "#C4689B",
        "image": "#B97F00",
        "video": "#D55E00",
        "audio": "#00916A",
        "3d": "#8A6BBE",
        "tabular": "#3A8FC4",
        "time-series": "#5B7A1E",
        "control": "#8C5A3C",
        "graph": "#8A8A8A",
        "other": "#767676",
        "unknown": "#9A9A9A",
    },
    words={"unknown": "not declared"},
)


def modalities(story: Story) -> Topic:
    answer = ask(story.connection, composition_sql("mart_daily_modality_share", "modality", "new_models"), story.on_day)
    heading, anchor = "Video and other modalities", "modalities"
    if not answer.rows:
        return Topic(anchor, heading, "No row of mart_daily_modality_share is of this day.")
    return Topic(
        anchor,
        heading,
        finding(story, answer),
        tuple(figure for figure in (made_of(story, answer), video(story)) if figure),
        (numbers(story, answer),),
    )


def finding(story: Story, answer: Answer) -> str:
    def of(code: str) -> float | None:
        return share_of(answer.rows, story.lead.metric, "uploader", code, "modality", "video")

    china, states, world = of("CN"), of("US"), of(WORLD)
    if not world:
        return f"No model that puts out video has any of the {story.lead.phrase} of this day."
    return (
        f"Models that put out video have {percent(china)} of China’s {story.lead.phrase} and {percent(states)} of the United "
        f"States’, by uploader; of all such downloads, {percent(world)}."
    )


def made_of(story: Story, answer: Answer) -> Figure:
    return parts_figure(
        story,
        answer,
        MODALITIES,
        name="modalities",
        title="What models put out, by country",
        by_what="what models put out",
        told_part="text",
        told_words="Text has",
        caption="Each bar is all of a country's downloads. “Not declared”: the repository names no task; it is never guessed.",
        definition="A seed maps each task of the Hub to what models of it take in and put out. Generators count by what they "
        "put out, others by what they take in; any-to-text is text. Part of each country's downloads, the EU's members together.",
    )


def video(story: Story) -> Figure | None:
    """Video's part by day; none where nothing that puts out video has any downloads."""
    answer = ask(story.connection, VIDEO, story.on_day | {"leaders": list(LEADERS)})
    if not any(row["share"] for row in answer.rows):
        return None
    views = {}
    for counted, attribution in readings(story):
        found = of_reading(answer, counted, attribution)
        last = {r["country_code"]: r["share"] for r in found if r["snapshot_date"] == story.ground.snapshot_date}
        views[f"{counted.metric}/{attribution}"] = lines_view(
            story,
            country_lines(story, COMPARED),
            {
                (r["snapshot_date"], r["country_code"]): (
                    r["share"],
                    f"{count(r['downloads'])} downloads of {count(r['models'])} models",
                )
                for r in found
            },
            title="Video’s part of downloads, day by day",
            subtitle=(f"Of each country's {counted.phrase},", by_words(attribution)),
            alt=f"Line chart: part of models that put out video in {counted.phrase}, {by_words(attribution)}, "
            f"by day. On the last "
            "day " + ", ".join(f"{story.name(code)} {percent(last.get(code))}" for code in COMPARED) + ".",
            number=".0%",
            precise=".2%",
        )
    return Figure(
        name="video",
        kind="lines",
        heading="Video’s part, day by day",
        caption="Generators of video, and whatever takes video in without putting out anything else.",
        definition="Downloads of models whose modality is video, as a part of all of the country's downloads on the day.",
        answer=answer,
        basis=story.lead.basis,
        views=views,
        switches=switches_of(story),
    )


def numbers(story: Story, answer: Answer) -> Table:
    return parts_table(
        story,
        answer,
        MODALITIES,
        label="What models put out",
        column="Puts out",
        further={"new_models": "New models"},
    )


VIDEO = f"""
    with

    counted as (
        select *
        from marts.mart_daily_modality_share
        where snapshot_date <= $snapshot_date
            and metric in (select unnest($metrics))
    ),

{placed("leaders")}

    select
        snapshot_date,
        metric,
        attribution,
        place as country_code,
        cast(coalesce(sum(downloads) filter (where modality = 'video'), 0) as bigint) as downloads,
        cast(coalesce(sum(models) filter (where modality = 'video'), 0) as bigint) as models,
        coalesce(sum(downloads) filter (where modality = 'video'), 0) / nullif(sum(downloads), 0) as share
    from placed
    group by 1, 2, 3, 4
    order by 2, 3 desc, 4, 1
"""
