-- name: save_account
insert into account (name, password_hash, roles, active, created_at)
values (%(name)s, %(password_hash)s, %(roles)s, %(active)s, %(at)s)
on conflict (name) do update
set password_hash = excluded.password_hash, roles = excluded.roles, active = excluded.active

-- name: account
select name, password_hash, roles, active from account where name = %(name)s

-- name: accounts
select name, password_hash, roles, active from account order by name

-- name: add_session
insert into session (token_hash, account, created_at, expires_at)
values (%(token_hash)s, %(account)s, %(at)s, %(expires_at)s)

-- name: session_account
select a.name, a.password_hash, a.roles, a.active
from session s
join account a on a.name = s.account
where s.token_hash = %(token_hash)s and s.expires_at > %(now)s and a.active

-- name: end_session
delete from session where token_hash = %(token_hash)s

-- name: drop_expired
delete from session where expires_at <= %(now)s

-- name: save_api_key
insert into api_key (key_hash, name, roles, created_at)
values (%(key_hash)s, %(name)s, %(roles)s, %(at)s)
on conflict (name) do update
set key_hash = excluded.key_hash, roles = excluded.roles, created_at = excluded.created_at, revoked_at = null

-- name: api_key
select name, roles from api_key where key_hash = %(key_hash)s and revoked_at is null

-- name: revoke_api_key
update api_key set revoked_at = %(at)s where name = %(name)s and revoked_at is null
