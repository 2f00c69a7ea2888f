-- What was learned of how to look for plans, better or not. It never changes; its id follows from what it says.
create table learned (
    id text primary key,
    plant_version text not null references plant_version,
    made_at timestamptz not null, -- wall
    made_by text not null,
    document jsonb not null
);
create index learned_made_at on learned (made_at);

-- What planning uses is what the last row names; none means the unlearned.
create table learned_adoption (
    number bigint generated always as identity primary key,
    learned text references learned,
    at timestamptz not null, -- wall
    actor text not null
);
