-- name: make_weeks
select make_week(parent, date_trunc('week', %(now)s::timestamptz, 'UTC') + ahead * interval '168 hours')
from unnest(array['sample', 'sample_text']) as p (parent), generate_series(0, 2) as w (ahead)
order by parent, ahead

-- name: compress
select compress_chunk(chunk, if_not_compressed => true)
from unnest(array['sample', 'sample_text']) as p (parent), show_chunks(parent::regclass, older_than => %(before)s) as chunk
