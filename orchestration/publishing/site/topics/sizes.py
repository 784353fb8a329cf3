"""How large the models are that countries' downloads go to, and how they were made: distilled, quantised, merged, adapted.
Sizes are whole parameters; what tells neither size nor technique is never guessed."""

from orchestration.publishing.site.answers import Answer, ask
from orchestration.publishing.site.figures import Figure, View
from orchestration.publishing.site.marks import EU_COLOUR, LEADER_COLOURS
from orchestration.publishing.site.topics.parts import Parts, composition_sql, parts_figure, parts_table, share_of
from orchestration.publishing.site.topics.topic import (
    COMPARED,
    Story,
    Table,
    Topic,
    by_words,
    placed,
    readings,
    switches_of,
)
from orchestration.publishing.site.words import percent

# From small to large, pale to dark and back again, so that neighbours differ on either paper.
SIZES = Parts(
    "size_class",
    colours={
        "<1B": "#56B4E9",
        "1-7B": "#0072B2",
        "7-20B": "#00916A",
        "20-70B": "#B97F00",
        "70-200B": "#D55E00",
        ">=200B": "#8A3B5E",
        "unknown": "#9A9A9A",
    },
    words={
        "<1B": "below 1 B",
        "1-7B": "1 to 7 B",
        "7-20B": "7 to 20 B",
        "20-70B": "20 to 70 B",
        "70-200B": "70 to 200 B",
        ">=200B": "200 B and more",
        "unknown": "not known",
    },
)
TECHNIQUES = {
    "quantized": "quantised",
    "mixture_of_experts": "mixture of experts",
    "distilled": "distilled",
    "adapter": "adapter",
    "merge": "merged",
}
LARGE = ("70-200B", ">=200B")


def sizes(story: Story) -> Topic:
    answer = ask(story.connection, composition_sql("mart_daily_size_share", "size_class"), story.on_day)
    heading, anchor = "Sizes and techniques", "sizes"
    if not answer.rows:
        return Topic(anchor, heading, "No row of mart_daily_size_share is of this day.")
    made = ask(story.connection, MADE_BY, story.on_day)
    return Topic(
        anchor,
        heading,
        finding(story, answer),
        (by_size(story, answer), *([by_technique(story, made)] if made.rows else [])),
        (size_numbers(story, answer), *([technique_numbers(story, made)] if made.rows else [])),
    )


def finding(story: Story, answer: Answer) -> str:
    def of(code: str, classes: tuple[str, ...]) -> str:
        shares = [share_of(answer.rows, story.lead.metric, "uploader", code, "size_class", each) for each in classes]
        return percent(sum(share or 0 for share in shares)) if None not in shares else "–"

    return (
        f"Models of 70 billion parameters and more have {of('CN', LARGE)} of China’s {story.lead.phrase} and "
        f"{of('US', LARGE)} of "
        f"the United States’; models below one billion {of('CN', ('<1B',))} and {of('US', ('<1B',))}, by uploader."
    )


def by_size(story: Story, answer: Answer) -> Figure:
    return parts_figure(
        story,
        answer,
        SIZES,
        name="sizes",
        title="Size of what is downloaded, by country",
        by_what="size of the model",
        told_part="<1B",
        told_words="Models below one billion parameters have",
        counted_how=", by all parameters",
        caption="B: a thousand million parameters, all of them, also those that a mixture of experts leaves idle.",
        definition="Parameters from the weights' own headers, else a reviewed seed, else the name; the lower edge belongs to the "
        "class. Packed quantised weights understate it.",
    )


def by_technique(story: Story, made: Answer) -> Figure:
    views = {}
    bys = {
        story.name(code): colour
        for code, colour in zip(COMPARED, (*LEADER_COLOURS.values(), EU_COLOUR, "#767676"), strict=True)
    }
    for counted, attribution in readings(story):
        found = {
            (r["country_code"], r["technique"]): r
            for r in made.rows
            if (r["metric"], r["attribution"]) == (counted.metric, attribution)
        }
        bars = [
            {
                "name": words,
                "by": story.name(code),
                "share": (found.get((code, technique)) or NONE)["share_of_country"] or 0,
                "text": percent((found.get((code, technique)) or NONE)["share_of_country"]),
                "downloads": (found.get((code, technique)) or NONE)["downloads"],
                "models": (found.get((code, technique)) or NONE)["models"],
            }
            for technique, words in TECHNIQUES.items()
            for code in COMPARED
        ]
        told = ", ".join(f"{bar['by']} {bar['text']}" for bar in bars if bar["name"] == "distilled")
        views[f"{counted.metric}/{attribution}"] = View(
            title="How models were made, as far as they say so",
            subtitle=(f"Part of the {counted.phrase} of each,", f"{by_words(attribution)}; one model may have several"),
            alt=f"Bar chart: part of {counted.phrase} by technique, {by_words(attribution)}. Distilled models have, of {told}. "
            "The table below has every number.",
            data={"bars": bars},
            params={
                "bys": list(bys),
                "colours": list(bys.values()),
                "top": round(max([bar["share"] for bar in bars] + [0.01]) * 1.2, 4),
            },
            height=58 * len(TECHNIQUES),
        )
    return Figure(
        name="techniques",
        kind="grouped_bars",
        heading="How models were made",
        caption="A model may be made by several techniques or by none, so that these don't add up to all.",
        definition="A technique counts where the repository says so: by a tag, by its declared relation, or by "
        "a part of its name "
        "that always means it. By uploader, whoever quantises another's model holds the copy.",
        answer=made,
        basis=story.lead.basis,
        views=views,
        switches=switches_of(story),
    )


# A country that has no row of a technique has nothing made by it.
NONE = {"share_of_country": 0, "downloads": 0, "models": 0}


def size_numbers(story: Story, answer: Answer) -> Table:
    return parts_table(story, answer, SIZES, label="Sizes", column="Size")


def technique_numbers(story: Story, made: Answer) -> Table:
    return parts_table(story, made, Parts("technique", TECHNIQUES, TECHNIQUES), label="Techniques", column="Technique")


# Techniques overlap, so that a country's whole is taken from the modalities, of which each model has one.
MADE_BY = f"""
    with

    counted as (
        select metric, attribution, country_code, technique, downloads, models
        from marts.mart_daily_technique_share
        where snapshot_date = $snapshot_date
            and metric in (select unnest($metrics))
        union all
        select metric, attribution, country_code, '(all)' as technique, downloads, models
        from marts.mart_daily_modality_share
        where snapshot_date = $snapshot_date
            and metric in (select unnest($metrics))
    ),

{placed()},

    summed as (
        select
            metric,
            attribution,
            place as country_code,
            technique,
            cast(sum(downloads) as bigint) as downloads,
            cast(sum(models) as bigint) as models
        from placed
        group by metric, attribution, place, technique
    )

    select
        parts.metric,
        parts.attribution,
        parts.country_code,
        parts.technique,
        parts.downloads,
        parts.downloads / nullif(wholes.downloads, 0) as share_of_country,
        parts.models
    from summed as parts
    inner join summed as wholes
        on parts.metric = wholes.metric
        and parts.attribution = wholes.attribution
        and parts.country_code = wholes.country_code
        and wholes.technique = '(all)'
    where parts.technique <> '(all)'
    order by
        parts.metric,
        parts.attribution desc,
        coalesce(list_position($codes, parts.country_code), 1000),
        parts.country_code,
        parts.downloads desc,
        parts.technique
"""
