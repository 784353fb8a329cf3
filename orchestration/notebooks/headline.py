"""The headline chart from the published version, in a notebook: `make notebook`, or as a script with `python -m`.
It draws what the marts say; definitions are the tables' own comments, and how numbers come about is dbt's."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Open Model Observatory: the headline")


@app.cell
def _():
    import textwrap

    import altair as alt
    import marimo as mo

    from orchestration.publishing import open_current
    from orchestration.settings import Settings

    # Read-only, and of one version: a newer one that is published meanwhile changes nothing here.
    connection = open_current(Settings())
    return alt, connection, mo, textwrap


@app.cell(hide_code=True)
def _(connection, mo):
    days = connection.execute(
        "select min(snapshot_date), max(snapshot_date), bool_or(is_simulated) from marts.dim_snapshots where status = 'complete'"
    ).fetchone()
    first_day, last_day, is_simulated = days
    version = connection.execute("select parse_filename(getvariable('observatory'))").fetchone()[0]
    mark = "**SIMULATED: made-up days, no evidence of anything.** " if is_simulated else ""
    mo.md(
        f"""
        # Whose open models the world downloads

        {mark}Version {version}, days from {first_day} to {last_day}.

        It is the country of a model's **developer**, not of whoever downloads; downloads are requests, not users.
        """
    )
    return is_simulated, last_day, version


@app.cell(hide_code=True)
def _(connection, mo):
    measures = {
        f"{metric}, {window} days" if window else metric: (metric, window)
        for metric, window in connection.execute(
            "select distinct metric, window_days from marts.mart_daily_country_share order by all"
        ).fetchall()
    }
    names = dict(connection.execute("select country_name, country_code from marts.dim_countries order by 1").fetchall())
    lead = next((label for label in measures if label.startswith("new_trailing_30d")), next(iter(measures)))
    measure = mo.ui.dropdown(measures, value=lead, label="Metric")
    attribution = mo.ui.dropdown(["uploader", "origin"], value="uploader", label="Attribution")
    denominator = mo.ui.dropdown(["all", "organizations", "located"], value="all", label="Out of")
    shown = [name for name, code in names.items() if code in ("CN", "US", "FR", "XC", "XX")]
    countries = mo.ui.multiselect(names, value=shown, label="Countries")
    mo.vstack([mo.hstack([measure, attribution, denominator], justify="start"), countries])
    return attribution, countries, denominator, measure


@app.cell
def _(attribution, connection, countries, denominator, measure):
    HEADLINE = """
        select
            shares.snapshot_date,
            countries.country_name,
            shares.country_code,
            shares.downloads,
            shares.share,
            shares.share_low,
            shares.share_high
        from marts.mart_daily_country_share as shares
        inner join marts.dim_countries as countries
            on shares.country_code = countries.country_code
        where shares.metric = $metric
            and shares.window_days = $window_days
            and shares.attribution = $attribution
            and shares.denominator = $denominator
            and list_contains($countries, shares.country_code)
        order by shares.snapshot_date, shares.share desc
    """
    asked = {
        "metric": measure.value[0],
        "window_days": measure.value[1],
        "attribution": attribution.value,
        "denominator": denominator.value,
        "countries": countries.value,
    }
    shares = connection.execute(HEADLINE, asked).df()
    return HEADLINE, asked, shares


@app.cell(hide_code=True)
def _(alt, asked, is_simulated, shares):
    days_axis = alt.X("snapshot_date:T", title=None, axis=alt.Axis(format="%-d %b %Y", labelOverlap=True, tickCount=8))
    colour = alt.Color("country_name:N", title=None, scale=alt.Scale(scheme="tableau10"))
    # Without a legend of their own, which would be as faint as they are.
    colour_of_bands = alt.Fill("country_name:N", legend=None, scale=alt.Scale(scheme="tableau10"))
    said = f"{asked['metric']}, by {asked['attribution']}, out of {asked['denominator']}; bands: what could not be attributed"
    lines = (
        alt.Chart(shares)
        .mark_line(point=True)
        .encode(
            x=days_axis,
            y=alt.Y("share:Q", title="share of downloads", axis=alt.Axis(format="%")),
            color=colour,
            tooltip=["country_name", "snapshot_date", alt.Tooltip("share", format=".1%"), "downloads"],
        )
    )
    bands = (
        alt.Chart(shares)
        .mark_area(opacity=0.12)
        .encode(x=days_axis, y="share_low:Q", y2="share_high:Q", fill=colour_of_bands)
    )
    subtitle = [said, "SIMULATED data: nothing here is evidence"] if is_simulated else [said]
    headline = alt.layer(bands, lines).resolve_scale(color="independent", fill="independent")
    headline = headline.properties(
        width=680, height=360, title=alt.Title("Shares of downloads, by country of the developer", subtitle=subtitle)
    )
    headline  # noqa: B018 - a cell shows its last expression
    return (headline,)


@app.cell(hide_code=True)
def _(last_day, mo, shares):
    last = shares[shares["snapshot_date"].dt.date == last_day].drop(columns=["snapshot_date"])
    rounded = {name: "{:.3f}".format for name in ("share", "share_low", "share_high")}
    bounds = "`share_low` and `share_high`: if none, or all, of what could not be attributed belonged to that country."
    mo.vstack(
        [mo.md(f"## On {last_day}, with bounds\n\n{bounds}"), mo.ui.table(last, selection=None, format_mapping=rounded)]
    )
    return (last,)


@app.cell(hide_code=True)
def _(asked, connection, mo, textwrap):
    definition = connection.execute(
        "select comment from duckdb_tables() where schema_name = 'marts' and table_name = 'mart_daily_country_share'"
    ).fetchone()[0]
    coverage = connection.execute(
        """
        select basis, round(classed_share, 3) as attributed, round(located_share, 3) as to_a_country
        from marts.mart_attribution_coverage
        where attribution = ?
            and snapshot_date = (select max(snapshot_date) from marts.mart_attribution_coverage)
        order by basis
        """,
        [asked["attribution"]],
    ).df()
    mo.vstack(
        [
            mo.md("## What is counted"),
            mo.plain_text(textwrap.fill(definition, 100)),
            mo.md("How much of it all is attributed to anyone, on the last day:"),
            mo.ui.table(coverage, selection=None),
        ]
    )
    return (coverage,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Go on

    Ask anything in the cell below; `show all tables` lists what there is, and `DICTIONARY.md` beside the database says what
    it means. The numbers as CSV: `make export TABLE=mart_daily_country_share`.
    """)
    return


@app.cell
def _(connection, mo):
    QUESTION = """
        select organization, downloads, round(share_of_country, 3) as share_of_country
        from marts.mart_daily_organization_share
        where snapshot_date = (select max(snapshot_date) from marts.mart_daily_organization_share)
            and metric = 'new_trailing_30d'
            and attribution = 'uploader'
            and country_code = 'CN'
        order by downloads desc
        limit 10
    """
    mo.ui.table(connection.execute(QUESTION).df(), selection=None)
    return


if __name__ == "__main__":
    app.run()
