-- name: insert
insert into disturbance (kind, subject, since, until, reported_at, reported_by)
values (%(kind)s, %(subject)s, %(since)s, %(until)s, %(reported_at)s, %(reported_by)s)

-- name: current
select subject, since, until
from (
    select distinct on (subject) subject, since, until from disturbance where kind = %(kind)s
    order by subject, number desc
) last
where until > %(at)s
order by subject
