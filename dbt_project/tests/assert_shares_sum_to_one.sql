-- The shares of each denominator sum to 1; 1e-9 is what rounding 250 codes to 12 decimals can add up to. 2026-11-24.
select
    snapshot_date,
    metric,
    window_days,
    attribution,
    denominator,
    sum(share) as total_share,
    sum(share_without_outliers) as total_share_without_outliers,
    sum(share_without_top_repository) as total_share_without_top_repository
from {{ ref('mart_daily_country_share') }}
where {{ in_snapshot_dates() }}
group by snapshot_date, metric, window_days, attribution, denominator
having
    abs(sum(share) - 1) > 0.000000001
    or abs(sum(share_without_outliers) - 1) > 0.000000001
    or abs(sum(share_without_top_repository) - 1) > 0.000000001
