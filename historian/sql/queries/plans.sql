-- name: insert
insert into plan_version (id, parent, plant_version, made_at, document)
values (%(id)s, %(parent)s, %(plant_version)s, %(made_at)s, %(document)s)

-- name: get
select document from plan_version where id = %(id)s

-- name: newest
select
    p.id, s.state, p.made_at, p.document -> 'reason' as reason,
    (p.document #>> '{judgement,passed}')::boolean as passed,
    jsonb_array_length(p.document -> 'orders') as orders,
    (p.document #>> '{solver,weighted_tardiness_s}')::double precision as weighted_tardiness_s
from plan_version p
cross join lateral (
    select state from plan_state where plan_version = p.id order by number desc limit 1
) s
order by p.made_at desc, p.id desc
limit %(limit)s

-- name: newest_knew
select document -> 'knew' from plan_version order by made_at desc, id desc limit 1

-- name: add_state
insert into plan_state (plan_version, state, at, actor) values (%(id)s, %(state)s, %(at)s, %(actor)s)

-- name: states
select state, at, actor from plan_state where plan_version = %(id)s order by number

-- name: state
select state from plan_state where plan_version = %(id)s order by number desc limit 1

-- name: revision
select max(number) from plan_state where plan_version = %(id)s and state = 'released'

-- name: released_id
select released_plan from site

-- name: swap
update site set released_plan = %(new)s where released_plan is not distinct from %(expected)s

-- name: rivals
select p.id
from plan_version p
cross join lateral (
    select state from plan_state where plan_version = p.id order by number desc limit 1
) s
where p.parent is not distinct from %(parent)s and p.id <> %(id)s and s.state in ('proposed', 'refused')
order by p.id
