-- name: keep_forecast
insert into plan_forecast (plan_version, document) values (%(plan_version)s, %(document)s)

-- name: released
select v.id, v.made_at, v.document #> '{verdict,machines}' as machines, f.document as forecast
from plan_state s
join plan_version v on v.id = s.plan_version
left join plan_forecast f on f.plan_version = v.id
where s.state = 'released' and v.made_at >= %(since)s
order by s.number

-- name: executed
select
    j.id as job_order, j.machine, j.item, j.operation, j.good + j.scrap as pieces, j.completed_at,
    extract(epoch from sum(least(s.ended_at, j.completed_at) - greatest(s.started_at, j.started_at)))::double precision
        as executed_s
from job_order j
join machine_state s on s.job_order = j.id and s.machine = j.machine
where j.state = 'completed' and s.state = 'executing' and s.ended_at > j.started_at and s.started_at < j.completed_at
group by j.id
having count(*) filter (where s.ended_at is null) = 0
order by j.completed_at, j.id

-- name: insert
insert into fidelity (measured_at, document) values (%(measured_at)s, %(document)s)

-- name: newest
select document from fidelity order by number desc limit 1
