-- name: add
insert into outbox (id, kind, subject, payload, due_at, created_at)
values (%(id)s, %(kind)s, %(subject)s, %(payload)s, %(at)s, %(at)s)

-- name: claim
with due as (
    select o.id
    from outbox o
    where o.state = 'pending' and o.due_at <= %(now)s
        and not exists (
            select from outbox earlier
            where earlier.state = 'pending' and earlier.subject = o.subject and earlier.id < o.id
        )
    order by o.id
    limit %(limit)s
    for update skip locked
)
update outbox
set attempts = attempts + 1, due_at = %(until)s
from due
where outbox.id = due.id
returning outbox.id::text, kind, subject, payload, attempts, due_at

-- name: settle
update outbox
set state = %(state)s, settled_at = %(at)s, detail = %(detail)s
where id = %(id)s and state = 'pending'

-- name: state
select state from outbox where id = %(id)s

-- name: postpone
update outbox set due_at = %(due_at)s, detail = %(detail)s where id = %(id)s and state = 'pending'

-- name: pending
select count(*) from outbox where state = 'pending'

-- name: refused
select o.id::text, o.kind, o.subject, o.payload, o.detail as reason, o.attempts, o.created_at, o.settled_at as refused_at
from outbox o
where o.state = 'refused'
    and not exists (select from outbox later where later.subject = o.subject and later.id > o.id)
order by o.settled_at desc, o.id

-- name: next_due
select min(due_at) from outbox where state = 'pending'
