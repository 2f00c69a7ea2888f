-- name: save
insert into plant_version (id, document_hash, document, imported_at)
values (%(id)s, %(document_hash)s, %(document)s, %(imported_at)s)
on conflict (id) do nothing

-- name: get
select id, document_hash, case when document_hash = any(%(known)s) then null else document end as document, imported_at
from plant_version
where id = %(id)s

-- name: current_id
select plant_version from site

-- name: set_current
insert into site (site, plant_version)
values (%(site)s, %(id)s)
on conflict (site) do update set plant_version = excluded.plant_version
