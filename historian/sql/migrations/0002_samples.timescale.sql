-- Readings on TimescaleDB: the same names as on plain PostgreSQL. What looks at the server's clock is left out
-- (policies that count back from now()): an emulated plant's time is not the wall's. `historian.maintenance` moves
-- old chunks to the columnstore by plant time instead, and the aggregates answer in real time in between.

create table sample (
    tag_id integer not null,
    ordinal smallint not null default 0,
    time timestamptz not null,
    value double precision,
    quality bigint not null default 0,
    primary key (tag_id, time, ordinal)
);
select create_hypertable('sample', by_range('time', interval '7 days'));
alter table sample set (
    timescaledb.enable_columnstore = true,
    timescaledb.segmentby = 'tag_id',
    timescaledb.orderby = 'time desc, ordinal desc'
);

create table sample_text (
    tag_id integer not null,
    ordinal smallint not null default 0,
    time timestamptz not null,
    quality bigint not null default 0,
    value text,
    primary key (tag_id, time, ordinal)
);
select create_hypertable('sample_text', by_range('time', interval '7 days'));
alter table sample_text set (
    timescaledb.enable_columnstore = true,
    timescaledb.segmentby = 'tag_id',
    timescaledb.orderby = 'time desc, ordinal desc'
);

create materialized view sample_1m with (timescaledb.continuous, timescaledb.materialized_only = false) as
select
    tag_id,
    time_bucket(interval '1 minute', time) as bucket,
    count(value) as count,
    min(value) as minimum,
    max(value) as maximum,
    sum(value) as total
from sample
where quality & 3221225472 = 0 -- severity Good
group by tag_id, time_bucket(interval '1 minute', time)
with no data;

create materialized view sample_1h with (timescaledb.continuous, timescaledb.materialized_only = false) as
select
    tag_id,
    time_bucket(interval '1 hour', time) as bucket,
    count(value) as count,
    min(value) as minimum,
    max(value) as maximum,
    sum(value) as total
from sample
where quality & 3221225472 = 0 -- severity Good
group by tag_id, time_bucket(interval '1 hour', time)
with no data;

select add_continuous_aggregate_policy('sample_1m', null, null, interval '1 minute');
select add_continuous_aggregate_policy('sample_1h', null, null, interval '1 hour');
