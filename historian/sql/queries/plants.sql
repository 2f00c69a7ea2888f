-- name: save
insert into plant_version (id, document_hash, document, imported_at)
values (%(id)s, %(document_hash)s, %(document)s, %(imported_at)s)
on conflict (id) do nothing

-- name: get
select id, document_hash, document, imported_at from plant_version where id = %(id)s

-- name: current
select v.id, v.document_hash, v.document, v.imported_at
from site s
join plant_version v on v.id = s.plant_version
where s.site = %(site)s

-- name: sites
select site from site order by site

-- name: set_current
insert into site (site, plant_version)
values (%(site)s, %(id)s)
on conflict (site) do update set plant_version = excluded.plant_version
