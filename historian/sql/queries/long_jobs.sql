-- name: create
insert into long_job (id, kind, subject, actor, state, created_at, updated_at)
values (%(id)s, %(kind)s, %(subject)s, %(actor)s, 'queued', %(at)s, %(at)s)

-- name: progress
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
select id::text, kind, subject, actor, state, share, doing, result, error, cancel_requested,
    created_at, updated_at, finished_at
from long_job
where id = %(id)s

-- name: newest
select id::text, kind, subject, actor, state, share, doing, result, error, cancel_requested,
    created_at, updated_at, finished_at
from long_job
where not %(open_only)s or finished_at is null
order by created_at desc, id desc
limit %(limit)s
