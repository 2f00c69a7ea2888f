-- name: put
insert into job_lock (job_order, machine, start_at, locked_at, locked_by)
values (%(job_order)s, %(machine)s, %(start_at)s, %(locked_at)s, %(locked_by)s)
on conflict (job_order) do update
set machine = excluded.machine, start_at = excluded.start_at, locked_at = excluded.locked_at,
    locked_by = excluded.locked_by

-- name: remove
delete from job_lock
where job_order = %(job_order)s
returning job_order, machine, start_at, locked_by

-- name: current
select job_lock.job_order, job_lock.machine, job_lock.start_at, job_lock.locked_by
from job_lock
join job_order on job_order.id = job_lock.job_order
where job_order.state not in ('running', 'completed')
order by job_lock.start_at, job_lock.job_order
