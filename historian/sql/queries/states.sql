-- name: lock
select pg_advisory_xact_lock(key)
from (
    select distinct hashtextextended(machine, 7) as key from unnest(%(machines)s::text[]) as m (machine) order by key
) keys

-- name: intervals
select machine, started_at, ended_at, state, reason, job_order
from machine_state
where started_at < %(end)s and (ended_at is null or ended_at > %(start)s)
    and (%(machines)s::text[] is null or machine = any(%(machines)s))
order by machine, started_at

-- name: before
select machine, started_at, ended_at, state, reason, job_order
from machine_state
where machine = %(machine)s and started_at < %(time)s
order by started_at desc
limit 1

-- name: last
select distinct on (machine) machine, started_at, ended_at, state, reason, job_order
from machine_state
where machine = any(%(machines)s)
order by machine, started_at desc

-- name: delete_from
delete from machine_state where machine = %(machine)s and started_at >= %(since)s

-- name: end_before
update machine_state
set ended_at = %(since)s
where machine = %(machine)s
    and started_at = (select max(started_at) from machine_state where machine = %(machine)s)
    and ended_at is distinct from %(since)s

-- name: insert
insert into machine_state (machine, started_at, ended_at, state, reason, job_order)
values (%(machine)s, %(started_at)s, %(ended_at)s, %(state)s, %(reason)s, %(job_order)s)

-- name: clear_hours
delete from state_1h where machine = %(machine)s and hour >= date_trunc('hour', %(since)s::timestamptz, 'UTC')

-- name: fill_hours
insert into state_1h (machine, hour, state, duration_s)
select
    s.machine, h.hour, s.state,
    sum(extract(epoch from least(s.ended_at, h.hour + interval '1 hour') - greatest(s.started_at, h.hour)))
from machine_state s
cross join lateral generate_series(
    date_trunc('hour', greatest(s.started_at, %(since)s::timestamptz), 'UTC'),
    s.ended_at - interval '1 microsecond',
    interval '1 hour'
) as h (hour)
where s.machine = %(machine)s and s.ended_at > date_trunc('hour', %(since)s::timestamptz, 'UTC')
group by s.machine, h.hour, s.state

-- name: hours
select machine, hour, state, duration_s
from state_1h
where hour >= %(start)s and hour < %(end)s and (%(machines)s::text[] is null or machine = any(%(machines)s))
order by machine, hour, state
