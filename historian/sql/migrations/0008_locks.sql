-- Job orders that somebody fixed to a machine and a start.
create table job_lock (
    job_order text primary key references job_order (id),
    machine text not null,
    start_at timestamptz not null, -- plant
    locked_at timestamptz not null, -- wall
    locked_by text not null
);

-- Whether a plan that is asked for shall stay near to the one in force.
alter table long_job add column near boolean not null default false;
