-- name: add_tags
insert into tag (path, machine, signal, is_text)
select path, machine, signal, is_text
from unnest(%(paths)s::text[], %(machines)s::text[], %(signals)s::text[], %(texts)s::boolean[])
    as new (path, machine, signal, is_text)
order by path
on conflict (path) do nothing

-- name: tags
select id, path, is_text from tag where path = any(%(paths)s)

-- name: make_weeks
select make_week(parent, week)
from unnest(array['sample', 'sample_text']) as p (parent), unnest(%(weeks)s::timestamptz[]) as w (week)
where to_regclass(parent || '_' || to_char(week at time zone 'UTC', 'YYYYMMDD')) is null
order by parent, week

-- name: copy_sample
copy sample (tag_id, time, value, quality) from stdin (format binary)

-- name: copy_sample_text
copy sample_text (tag_id, time, value, quality) from stdin (format binary)

-- name: make_staging
create temporary table if not exists staged_sample (
    arrival bigint, tag_id integer, time timestamptz, value double precision, quality bigint
) on commit delete rows;
create temporary table if not exists staged_sample_text (
    arrival bigint, tag_id integer, time timestamptz, value text, quality bigint
) on commit delete rows;

-- name: copy_staged_sample
copy staged_sample (arrival, tag_id, time, value, quality) from stdin (format binary)

-- name: copy_staged_sample_text
copy staged_sample_text (arrival, tag_id, time, value, quality) from stdin (format binary)

-- name: stage_sample
insert into staged_sample (arrival, tag_id, time, value, quality)
select arrival, tag_id, time, value, quality
from unnest(%(tag_ids)s::integer[], %(times)s::timestamptz[], %(values)s::double precision[], %(qualities)s::bigint[])
    with ordinality as new (tag_id, time, value, quality, arrival)

-- name: stage_sample_text
insert into staged_sample_text (arrival, tag_id, time, value, quality)
select arrival, tag_id, time, value, quality
from unnest(%(tag_ids)s::integer[], %(times)s::timestamptz[], %(values)s::text[], %(qualities)s::bigint[])
    with ordinality as new (tag_id, time, value, quality, arrival)

-- name: unstage_sample
with incoming as (
    select tag_id, time, value, quality, min(arrival) as arrival
    from staged_sample
    group by tag_id, time, value, quality
), fresh as (
    select i.*
    from incoming i
    where not exists (
        select from sample s
        where s.tag_id = i.tag_id and s.time = i.time and s.quality = i.quality
            and s.value is not distinct from i.value
    )
)
insert into sample (tag_id, time, ordinal, value, quality)
select
    f.tag_id, f.time,
    coalesce((select max(s.ordinal) + 1 from sample s where s.tag_id = f.tag_id and s.time = f.time), 0)
        + row_number() over (partition by f.tag_id, f.time order by f.arrival) - 1,
    f.value, f.quality
from fresh f
returning tag_id, time

-- name: unstage_sample_text
with incoming as (
    select tag_id, time, value, quality, min(arrival) as arrival
    from staged_sample_text
    group by tag_id, time, value, quality
), fresh as (
    select i.*
    from incoming i
    where not exists (
        select from sample_text s
        where s.tag_id = i.tag_id and s.time = i.time and s.quality = i.quality
            and s.value is not distinct from i.value
    )
)
insert into sample_text (tag_id, time, ordinal, value, quality)
select
    f.tag_id, f.time,
    coalesce((select max(s.ordinal) + 1 from sample_text s where s.tag_id = f.tag_id and s.time = f.time), 0)
        + row_number() over (partition by f.tag_id, f.time order by f.arrival) - 1,
    f.value, f.quality
from fresh f
returning tag_id, time

-- name: state_readings
select t.path, s.time, s.ordinal, s.value, null::text as text, s.quality
from tag t
join sample s on s.tag_id = t.id and s.time >= %(since)s
where t.machine = %(machine)s and t.signal = any(%(signals)s) and not t.is_text
union all
select t.path, s.time, s.ordinal, null, s.value, s.quality
from tag t
join sample_text s on s.tag_id = t.id and s.time >= %(since)s
where t.machine = %(machine)s and t.signal = any(%(signals)s) and t.is_text
order by 2, 3, 1

-- name: last
select t.path, s.time, s.ordinal, s.value, null::text as text, s.quality
from tag t
cross join lateral (
    (
        select time, ordinal, value, quality
        from sample
        where tag_id = t.id and time < %(before)s
        order by time desc, ordinal desc
        limit 1
    )
    union
    (
        select time, ordinal, value, quality
        from sample
        where tag_id = t.id and time < %(before)s and quality & 2147483648 = 0 -- severity not Bad
        order by time desc, ordinal desc
        limit 1
    )
) s
where t.machine = any(%(machines)s) and (%(signals)s::text[] is null or t.signal = any(%(signals)s)) and not t.is_text
union all
select t.path, s.time, s.ordinal, null, s.value, s.quality
from tag t
cross join lateral (
    (
        select time, ordinal, value, quality
        from sample_text
        where tag_id = t.id and time < %(before)s
        order by time desc, ordinal desc
        limit 1
    )
    union
    (
        select time, ordinal, value, quality
        from sample_text
        where tag_id = t.id and time < %(before)s and quality & 2147483648 = 0 -- severity not Bad
        order by time desc, ordinal desc
        limit 1
    )
) s
where t.machine = any(%(machines)s) and (%(signals)s::text[] is null or t.signal = any(%(signals)s)) and t.is_text
order by 2, 3, 1

-- name: series
select t.path,
    array_agg(extract(epoch from s.time)::double precision order by s.time, s.ordinal) as times,
    array_agg(s.value order by s.time, s.ordinal) as values,
    array_agg(s.quality order by s.time, s.ordinal) as qualities
from tag t
join sample s on s.tag_id = t.id and s.time >= %(start)s and s.time < %(end)s
where t.path = any(%(tags)s)
group by t.path

-- name: rollup_1m
select t.path, s.bucket, s.count, s.minimum, s.maximum, s.total
from tag t
join sample_1m s on s.tag_id = t.id and s.bucket >= %(start)s and s.bucket < %(end)s
where t.path = any(%(tags)s) and s.count > 0
order by t.path, s.bucket

-- name: rollup_1h
select t.path, s.bucket, s.count, s.minimum, s.maximum, s.total
from tag t
join sample_1h s on s.tag_id = t.id and s.bucket >= %(start)s and s.bucket < %(end)s
where t.path = any(%(tags)s) and s.count > 0
order by t.path, s.bucket

-- name: refresh_1m
insert into sample_1m (tag_id, bucket, count, minimum, maximum, total)
select b.tag_id, b.bucket, count(s.value), min(s.value), max(s.value), sum(s.value)
from unnest(%(tag_ids)s::integer[], %(buckets)s::timestamptz[]) as b (tag_id, bucket)
join sample s on s.tag_id = b.tag_id and s.time >= b.bucket and s.time < b.bucket + interval '1 minute'
    and s.quality & 3221225472 = 0 -- severity Good
group by b.tag_id, b.bucket
order by b.tag_id, b.bucket
on conflict (tag_id, bucket) do update
set count = excluded.count, minimum = excluded.minimum, maximum = excluded.maximum, total = excluded.total

-- name: refresh_1h
insert into sample_1h (tag_id, bucket, count, minimum, maximum, total)
select b.tag_id, b.bucket, sum(s.count), min(s.minimum), max(s.maximum), sum(s.total)
from unnest(%(tag_ids)s::integer[], %(buckets)s::timestamptz[]) as b (tag_id, bucket)
join sample_1m s on s.tag_id = b.tag_id and s.bucket >= b.bucket and s.bucket < b.bucket + interval '1 hour'
group by b.tag_id, b.bucket
order by b.tag_id, b.bucket
on conflict (tag_id, bucket) do update
set count = excluded.count, minimum = excluded.minimum, maximum = excluded.maximum, total = excluded.total

-- name: last_before
select t.path, s.value
from tag t
cross join lateral (
    select value
    from sample
    where tag_id = t.id and time < %(time)s and value is not null
    order by time desc, ordinal desc
    limit 1
) s
where t.path = any(%(tags)s) and not t.is_text
