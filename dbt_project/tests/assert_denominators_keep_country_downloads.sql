-- An ISO country's downloads are the same in every denominator, and it is in all of them: so CN : US is too.
select
    snapshot_date,
    metric,
    window_days,
    attribution,
    country_code,
    count(*) as denominators,
    min(downloads) as lowest,
    max(downloads) as highest
from {{ ref('mart_daily_country_share') }}
where
    {{ in_snapshot_dates() }}
    and {{ is_country('country_code') }}
group by snapshot_date, metric, window_days, attribution, country_code
having count(*) <> 3 or min(downloads) <> max(downloads)
