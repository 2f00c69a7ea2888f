-- What a plan predicted of every order and job order, kept to be held against what happens.
create table plan_forecast (
    plan_version text primary key references plan_version,
    document jsonb not null
);

-- How right the twin was, each time it was measured.
create table fidelity (
    number bigint generated always as identity primary key,
    measured_at timestamptz not null, -- plant
    document jsonb not null
);
