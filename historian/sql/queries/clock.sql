-- name: anchor
select plant_at as plant, wall_at as wall, rate from clock_anchor

-- name: set_anchor
insert into clock_anchor (plant_at, wall_at, rate)
values (%(plant)s, %(wall)s, %(rate)s)
on conflict (single) do update set plant_at = excluded.plant_at, wall_at = excluded.wall_at, rate = excluded.rate
