-- name: insert
insert into learned (id, plant_version, made_at, made_by, document)
values (%(id)s, %(plant_version)s, %(made_at)s, %(made_by)s, %(document)s)
on conflict (id) do nothing

-- name: newest
with used as (
    select a.learned, a.at from learned_adoption a order by a.number desc limit 1
)
select l.document, l.made_at, l.made_by, u.at as used_since
from learned l
left join used u on u.learned = l.id
where u.learned is not null or l.id in (select n.id from learned n order by n.made_at desc, n.id limit %(limit)s)
order by l.made_at desc, l.id

-- name: in_use
select l.document
from learned_adoption a
left join learned l on l.id = a.learned
order by a.number desc
limit 1

-- name: adopt
insert into learned_adoption (learned, at, actor) values (%(learned)s, %(at)s, %(actor)s)

-- name: lock
select pg_advisory_xact_lock(hashtextextended('learned', 7))
