-- name: anchor
select plant_at as plant, wall_at as wall, rate from clock_anchor where site = %(site)s

-- name: set_anchor
insert into clock_anchor (site, plant_at, wall_at, rate)
values (%(site)s, %(plant)s, %(wall)s, %(rate)s)
on conflict (site) do update set plant_at = excluded.plant_at, wall_at = excluded.wall_at, rate = excluded.rate
