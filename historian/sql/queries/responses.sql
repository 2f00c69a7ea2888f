-- name: insert
insert into job_response (id, job_order, kind, at, machine, good, scrap, reason, received_at)
values (
    %(id)s, %(job_order)s, %(kind)s, %(at)s, %(machine)s, %(good)s, %(scrap)s, %(reason)s, %(received_at)s)
on conflict (id) do nothing

-- name: get
select id::text, job_order, kind, at, machine, good, scrap, reason from job_response where id = %(id)s

-- name: of_job
select id::text, job_order, kind, at, machine, good, scrap, reason
from job_response
where job_order = %(job_order)s
order by at, id

-- name: aborts
select r.job_order, count(*)::integer as times, max(r.at) as at
from job_order j
join job_response r on r.job_order = j.id
where j.state = 'aborted' and r.kind = 'aborted'
group by r.job_order
order by r.job_order
