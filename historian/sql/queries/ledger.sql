-- name: append
insert into ledger (at, actor, use_case, subject, kind, before, after, hash)
values (%(at)s, %(actor)s, %(use_case)s, %(subject)s, %(kind)s, %(before)s, %(after)s, %(hash)s)

-- name: entries
select at, actor, use_case, subject, kind, before, after, hash
from ledger
where %(subject)s::text is null or subject = %(subject)s
order by number desc
limit %(limit)s
