-- name: insert
insert into plan_version (id, site, parent, plant_version, made_at, reason, passed, document)
values (%(id)s, %(site)s, %(parent)s, %(plant_version)s, %(made_at)s, %(reason)s, %(passed)s, %(document)s)

-- name: get
select document from plan_version where id = %(id)s

-- name: summaries
select
    p.id, p.parent, p.plant_version, p.made_at, p.reason, p.passed, s.state,
    p.document #> '{judgement,reasons}' as reasons,
    (p.document #>> '{solver,weighted_tardiness_s}')::double precision as weighted_tardiness_s,
    (p.document #>> '{solver,makespan_s}')::double precision as makespan_s,
    (p.document #>> '{verdict,oee}')::double precision as oee
from plan_version p
cross join lateral (
    select state from plan_state where plan_version = p.id order by number desc limit 1
) s
where p.site = %(site)s
order by p.made_at desc, p.id desc
limit %(limit)s

-- name: add_state
insert into plan_state (plan_version, state, at, actor, reason)
values (%(id)s, %(state)s, %(at)s, %(actor)s, %(reason)s)

-- name: states
select state, at, actor, reason from plan_state where plan_version = %(id)s order by number

-- name: state
select state from plan_state where plan_version = %(id)s order by number desc limit 1

-- name: released_id
select released_plan from site where site = %(site)s

-- name: swap
update site
set released_plan = %(new)s
where site = %(site)s and released_plan is not distinct from %(expected)s
