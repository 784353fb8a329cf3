"""How new releases were taken up against the most downloaded of their size at the same age.
Only releases that were first seen after the history began have an age that is known."""

from orchestration.foreign_text import display_name
from orchestration.publishing.site.answers import Answer, ask
from orchestration.publishing.site.figures import Figure, Switch, View
from orchestration.publishing.site.marks import leader_colour
from orchestration.publishing.site.topics.topic import Story, Table, Topic
from orchestration.publishing.site.words import count

RELEASES_SHOWN = 12


def adoption(story: Story) -> Topic:
    answer = ask(story.connection, ADOPTION, {"shown": RELEASES_SHOWN})
    heading, anchor = "How new releases were taken up", "adoption"
    if not answer.rows:
        return Topic(
            anchor,
            heading,
            "There is no number yet: it takes a release that was first seen a day or more after the history began, at least a "
            "week of its downloads, and ten others of its size at the same age to compare it with. This history is of "
            f"{len(story.ground.days)} calendar days.",
        )
    return Topic(anchor, heading, finding(answer), (taken_up(answer),), (numbers(story, answer),))


def finding(answer: Answer) -> str:
    days = min(row["milestone_days"] for row in answer.rows)
    found = [row for row in answer.rows if row["milestone_days"] == days]
    best = found[0]
    return (
        f"{days} days after its release, {display_name(best['model_id'])} had {best['relative_adoption']:,.1f} times the "
        "downloads of the middle one of the ten most downloaded others of its size at that age: the most among the releases "
        "of this history."
    )


def taken_up(answer: Answer) -> Figure:
    views = {}
    milestones = sorted({row["milestone_days"] for row in answer.rows})
    for days in milestones:
        found = [row for row in answer.rows if row["milestone_days"] == days]
        bars = [
            {
                "name": display_name(row["model_id"]),
                "value": row["relative_adoption"],
                "text": f"{row['relative_adoption']:,.1f} ×",
                "more": f"{count(row['downloads'])} downloads; the peers' median {row['peer_median']:,.0f}; size "
                f"{row['size_class']}",
                "colour": leader_colour(row["country_code"]),
            }
            for row in found
        ]
        views[str(days)] = View(
            title="New releases against their peers",
            subtitle=(
                f"Downloads in the first {days} days, as a multiple of the median",
                "of the ten most downloaded of like size",
            ),
            alt=f"Bar chart: new releases' downloads {days} days after release, as a multiple of their peers' median: "
            + ", ".join(f"{bar['name']} {bar['text']}" for bar in bars[:3])
            + ".",
            data={"bars": bars},
            params={"top": max([bar["value"] for bar in bars] + [1]) * 1.2, "format": "~s", "measure": None},
            height=24 * max(len(bars), 2),
        )
    return Figure(
        name="adoption",
        kind="bars",
        heading="New releases against their peers",
        caption=f"At most the {RELEASES_SHOWN} that did best at each age. Orange: developed in China; blue: in "
        f"the United States; "
        "grey: elsewhere.",
        definition="Downloads since the release, divided by the median of the ten most downloaded other first-party repositories "
        "of the same class of size at the same age. With fewer than ten peers there is no number.",
        answer=answer,
        basis=None,
        views=views,
        switches=(Switch("Days since the release", tuple((str(days), str(days)) for days in milestones)),),
    )


def numbers(story: Story, answer: Answer) -> Table:
    return Table(
        "New releases against their peers",
        ("Repository", "Country", "Days", "Size", "Downloads", "Peers' median", "Multiple"),
        tuple(
            (
                display_name(row["model_id"]),
                story.name(row["country_code"]),
                str(row["milestone_days"]),
                row["size_class"],
                count(row["downloads"]),
                f"{row['peer_median']:,.0f}",
                f"{row['relative_adoption']:,.2f}",
            )
            for row in answer.rows
        ),
        frozenset({2, 4, 5, 6}),
    )


ADOPTION = """
    with

    ranked as (
        select
            adoption.milestone_days,
            coalesce(models.model_id, adoption.repo_id) as model_id,
            coalesce(models.origin_country, 'XX') as country_code,
            adoption.size_class,
            adoption.downloads,
            adoption.peer_median,
            adoption.relative_adoption,
            row_number() over (
                partition by adoption.milestone_days
                order by adoption.relative_adoption desc, adoption.repo_id
            ) as place
        from marts.mart_relative_adoption as adoption
        left join marts.dim_models as models
            on adoption.repo_id = models.repo_id
        where adoption.relative_adoption is not null
    )

    select * exclude (place)
    from ranked
    where place <= $shown
    order by milestone_days, place
"""
