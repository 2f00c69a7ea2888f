-- What history says of the plant. A calibration never changes; its id follows from what it says.
create table calibration (
    id text primary key,
    plant_version text not null references plant_version,
    since timestamptz not null, -- plant
    until timestamptz not null, -- plant
    made_at timestamptz not null, -- wall
    made_by text not null,
    document jsonb not null
);
create index calibration_made_at on calibration (made_at);

-- The calibration in use is the last row's; none means the plan as it stands. Going back leads to the row `previous`.
create table calibration_adoption (
    number bigint generated always as identity primary key,
    calibration text references calibration,
    previous bigint references calibration_adoption,
    at timestamptz not null, -- wall
    actor text not null
);
