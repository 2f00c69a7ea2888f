-- name: count
select count(*) from account

-- name: save
insert into account (name, password_hash, roles, created_at)
values (%(name)s, %(password_hash)s, %(roles)s, %(at)s)
on conflict (name) do update set password_hash = excluded.password_hash, roles = excluded.roles, active = true

-- name: insert
insert into account (name, password_hash, roles, created_at)
values (%(name)s, %(password_hash)s, %(roles)s, %(at)s)
on conflict (name) do nothing

-- name: disable
update account set active = false where name = %(name)s and active

-- name: all
select name, roles, active, created_at from account order by name

-- name: find
select name, password_hash, roles from account where name = %(name)s and active

-- name: open_session
insert into session (digest, account, created_at, expires_at)
values (%(digest)s, %(account)s, %(at)s, %(expires_at)s)

-- name: session_actor
select a.name, a.roles
from session s
join account a on a.name = s.account
where s.digest = %(digest)s and s.expires_at > %(now)s and a.active

-- name: close_session
delete from session where digest = %(digest)s

-- name: drop_expired
delete from session where expires_at <= %(now)s

-- name: close_sessions
delete from session where account = %(name)s

-- name: save_api_key
insert into api_key (name, digest, roles, created_at)
values (%(name)s, %(digest)s, %(roles)s, %(at)s)
on conflict (name) do update
set digest = excluded.digest, roles = excluded.roles, created_at = excluded.created_at
where (api_key.digest, api_key.roles) is distinct from (excluded.digest, excluded.roles)

-- name: insert_api_key
insert into api_key (name, digest, roles, created_at)
values (%(name)s, %(digest)s, %(roles)s, %(at)s)
on conflict (name) do nothing

-- name: api_keys
select name, roles, created_at from api_key order by name

-- name: api_key_actor
select name, roles from api_key where digest = %(digest)s

-- name: revoke_api_key
delete from api_key where name = %(name)s
