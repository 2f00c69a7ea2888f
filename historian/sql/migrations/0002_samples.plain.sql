-- Readings on plain PostgreSQL: weekly range partitions, made by the writer before it needs them, and a DEFAULT one
-- so that nothing is ever refused. No foreign key to `tag`: it would cost a look-up per reading; the writer is the
-- only one to write here. `quality` is an unsigned 32-bit number, hence bigint.

create table sample (
    tag_id integer not null,
    ordinal smallint not null default 0,
    time timestamptz not null,
    value double precision,
    quality bigint not null default 0,
    primary key (tag_id, time, ordinal)
) partition by range (time);
create table sample_default partition of sample default;

create table sample_text (
    tag_id integer not null,
    ordinal smallint not null default 0,
    time timestamptz not null,
    quality bigint not null default 0,
    value text,
    primary key (tag_id, time, ordinal)
) partition by range (time);
create table sample_text_default partition of sample_text default;

-- Rollups over the readings of good quality, refreshed by the writer for the buckets it touched.
create table sample_1m (
    tag_id integer not null,
    bucket timestamptz not null,
    count bigint not null,
    minimum double precision,
    maximum double precision,
    total double precision,
    primary key (tag_id, bucket)
);

create table sample_1h (
    tag_id integer not null,
    bucket timestamptz not null,
    count bigint not null,
    minimum double precision,
    maximum double precision,
    total double precision,
    primary key (tag_id, bucket)
);

-- Make the partition of `parent` that begins at `week`, taking along what the DEFAULT one holds of it.
create function make_week(parent text, week timestamptz) returns void language plpgsql as $$
declare
    child text := parent || '_' || to_char(week at time zone 'UTC', 'YYYYMMDD');
    following timestamptz := week + interval '168 hours';
begin
    perform pg_advisory_xact_lock(hashtextextended(child, 0));
    -- Not to_regclass: its cache may not have heard of what another writer committed while we waited.
    if exists (select from pg_class where relname = child and pg_table_is_visible(oid)) then
        return;
    end if;
    execute format('create table %I (like %I including all)', child, parent);
    execute format(
        'with moved as (delete from %I where time >= %L and time < %L returning *) insert into %I select * from moved',
        parent || '_default', week, following, child);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, week, following);
end
$$;
