-- The bounds are in order and hold the share: with XX in the total for `all` and `organizations`, the share is the
-- lower bound; for `located`, XX joins the total, so that the share lies between the two.
select
    snapshot_date,
    metric,
    window_days,
    attribution,
    denominator,
    country_code,
    share_low,
    share,
    share_high
from {{ ref('mart_daily_country_share') }}
where
    {{ in_snapshot_dates() }}
    and total_downloads > 0
    -- what the Hub took back can bring sums below zero: there are no bounds to it
    and correction_downloads is null
    and case
        when country_code = 'XX'
            then share_low is not null or share_high is not null
        else
            share_low is null
            or share_high is null
            or share_low > share
            or share > share_high + 0.000000000001
            or share_low < 0
            or share_high > 1
            or (denominator <> 'located' and share_low <> share)
    end
