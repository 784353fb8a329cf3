"""What an analyst types first, as SQL on the public tables, each under its question.
How long they take is measured in `queries.py`; questions that belong to one table are in that table's own examples."""

LAST = "(select max(snapshot_date) from marts.dim_snapshots where status = 'complete')"

QUESTIONS = {
    "How did the two leaders' shares of new models' downloads go over the year?": """
        select snapshot_date, country_code, share, share_low, share_high
        from marts.mart_daily_country_share
        where metric = 'new_trailing_30d'
            and attribution = 'uploader'
            and denominator = 'all'
            and country_code in ('CN', 'US')
        order by snapshot_date, country_code
    """,
    "And every country's, with its name?": """
        select shares.snapshot_date, countries.country_name, shares.share
        from marts.mart_daily_country_share as shares
        inner join marts.dim_countries as countries
            on shares.country_code = countries.country_code
        where shares.metric = 'new_trailing_30d'
            and shares.attribution = 'origin'
            and shares.denominator = 'located'
        order by shares.snapshot_date, shares.share desc
    """,
    "Who makes up China?": f"""
        select organization, downloads, share_of_country
        from marts.mart_daily_organization_share
        where snapshot_date = {LAST}
            and metric = 'new_trailing_30d'
            and attribution = 'uploader'
            and country_code = 'CN'
        order by downloads desc
    """,
    "How did the largest Chinese organisations' parts move over the year?": """
        select snapshot_date, organization, share_of_country
        from marts.mart_daily_organization_share
        where metric = 'new_trailing_30d'
            and attribution = 'uploader'
            and country_code = 'CN'
        qualify row_number() over (partition by snapshot_date order by downloads desc) <= 5
        order by snapshot_date, share_of_country desc
    """,
    "What was one model downloaded each day?": """
        select snapshot_date, downloads, delta_status
        from marts.fct_daily_model_downloads
        where repo_id = (select repo_id from marts.dim_models order by downloads_all_time desc limit 1)
        order by snapshot_date
    """,
    "Which models have this word in their name?": """
        select model_id, uploader_country, downloads_30d
        from marts.dim_models
        where model_id ilike '%qwen%'
        order by downloads_30d desc
        limit 20
    """,
    "When did one country pass another?": """
        select crossover_date, leader_country_code, passed_country_code, confirmed_date, margin
        from marts.mart_country_crossovers
        where metric = 'new_trailing_30d'
            and attribution = 'uploader'
        order by crossover_date
    """,
    "How often do the labs release?": f"""
        select organization, country_code, releases, median_days_between_releases, cadence
        from marts.mart_release_cadence
        where snapshot_date = {LAST}
            and level = 'organization'
        order by releases desc
    """,
    "Which models created in the last thirty days lead?": f"""
        select model_id, uploader_country, origin_country, downloads_30d, likes
        from marts.dim_models
        where created_at >= {LAST} - interval 30 day
        order by downloads_30d desc
        limit 20
    """,
    "What do Chinese and US models make, over time?": """
        select snapshot_date, country_code, modality, share_of_country
        from marts.mart_daily_modality_share
        where metric = 'trailing_30d'
            and attribution = 'uploader'
            and country_code in ('CN', 'US')
        order by snapshot_date, country_code, share_of_country desc
    """,
    "How many downloads were there each month, by country?": """
        select date_trunc('month', snapshot_date) as month, country_code, sum(downloads) as downloads
        from marts.fct_daily_country_downloads
        where attribution = 'origin'
        group by 1, 2
        order by 1, 3 desc
    """,
    "On what terms may the models be used, by country?": f"""
        select country_code, openness, sum(downloads) as downloads
        from marts.mart_daily_openness
        where snapshot_date = {LAST}
            and metric = 'trailing_30d'
            and attribution = 'uploader'
        group by 1, 2
        order by 3 desc
    """,
    "Whose models are built upon most?": f"""
        select root_organization, origin_country, sum(derivatives) as derivatives, sum(downloads) as downloads
        from marts.mart_daily_lineage
        where snapshot_date = {LAST}
            and metric = 'trailing_30d'
        group by 1, 2
        order by 3 desc
        limit 20
    """,
    "How concentrated is it all, over time?": """
        select snapshot_date, entity, hhi, top_10_share
        from marts.mart_daily_concentration
        where metric = 'trailing_30d'
            and attribution = 'uploader'
            and scope = 'world'
        order by snapshot_date, entity
    """,
}
