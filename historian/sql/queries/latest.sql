-- name: rows
select machine, state, since, reason, job_order, signals, updated_at
from machine_latest
where %(machines)s::text[] is null or machine = any(%(machines)s)
order by machine

-- name: save
insert into machine_latest (machine, state, since, reason, job_order, signals, updated_at)
values (%(machine)s, %(state)s, %(since)s, %(reason)s, %(job_order)s, %(signals)s, %(updated_at)s)
on conflict (machine) do update
set state = excluded.state, since = excluded.since, reason = excluded.reason, job_order = excluded.job_order,
    signals = excluded.signals, updated_at = excluded.updated_at
