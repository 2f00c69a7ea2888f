-- name: insert
insert into long_job (id, kind, subject, requested_by, state, share, doing, near, created_at, updated_at)
values (
    %(id)s, %(kind)s, %(subject)s, %(requested_by)s, %(state)s, %(share)s, %(doing)s, %(near)s, %(created_at)s,
    %(at)s)

-- name: report
update long_job
set state = 'running', share = %(share)s, doing = %(doing)s, updated_at = %(at)s
where id = %(id)s and finished_at is null
returning cancel_requested

-- name: finish
update long_job
set state = %(state)s, share = case when %(state)s = 'done' then 1 else share end, result = %(result)s,
    error = %(error)s, updated_at = %(at)s, finished_at = %(at)s
where id = %(id)s and finished_at is null

-- name: request_cancel
update long_job
set cancel_requested = true, updated_at = %(at)s
where id = %(id)s and finished_at is null

-- name: get
select id::text, kind, subject, requested_by, state, created_at, share, doing, result, error, near
from long_job
where id = %(id)s

-- name: newest
select id::text, kind, subject, requested_by, state, created_at, share, doing, result, error, near
from long_job
order by created_at desc, id desc
limit %(limit)s

-- name: open
select id::text, kind, subject, requested_by, state, created_at, share, doing, result, error, near
from long_job
where finished_at is null
order by created_at, id
