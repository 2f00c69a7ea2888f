-- name: add
insert into quarantine (source, digest, payload, reason, first_at, last_at)
values (%(source)s, %(digest)s, %(payload)s, %(reason)s, %(at)s, %(at)s)
on conflict (source, digest) do update set repeats = quarantine.repeats + 1, last_at = excluded.last_at

-- name: counts
select source, sum(repeats)::bigint as count from quarantine group by source order by source

-- name: newest
select source, payload, reason, repeats, first_at, last_at
from quarantine
order by last_at desc, source, digest
limit %(limit)s

-- name: drop_old
delete from quarantine where last_at < %(before)s
