-- name: insert
insert into calibration (id, plant_version, since, until, made_at, made_by, document)
values (%(id)s, %(plant_version)s, %(since)s, %(until)s, %(made_at)s, %(made_by)s, %(document)s)
on conflict (id) do nothing

-- name: get
select document from calibration where id = %(id)s

-- name: newest
with used as (
    select a.calibration from calibration_adoption a order by a.number desc limit 1
)
select
    c.id, c.plant_version, c.since, c.until, c.made_at, c.made_by,
    jsonb_array_length(c.document -> 'estimates') as estimates,
    c.id is not distinct from (select calibration from used) as adopted
from calibration c
where c.id in (select n.id from calibration n order by n.made_at desc, n.id limit %(limit)s)
    or c.id = (select calibration from used)
order by c.made_at desc, c.id

-- name: newest_until
select max(until) from calibration

-- name: used_until
select c.until
from calibration_adoption a
left join calibration c on c.id = a.calibration and c.plant_version = %(plant_version)s
order by a.number desc
limit 1

-- name: last_adoption
select number, calibration, previous from calibration_adoption order by number desc limit 1

-- name: adoption
select number, calibration, previous from calibration_adoption where number = %(number)s

-- name: adopt
insert into calibration_adoption (calibration, previous, at, actor)
values (%(calibration)s, %(previous)s, %(at)s, %(actor)s)

-- name: lock
select pg_advisory_xact_lock(hashtextextended('calibration', 7))
