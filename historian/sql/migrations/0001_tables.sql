-- Everything but the readings. Plant time comes from the plant clock, wall time from the wall clock; neither from now().

create table plant_version (
    id text primary key,
    document_hash text not null unique,
    document jsonb not null,
    imported_at timestamptz not null -- wall
);

-- A database holds one site.
create table site (
    site text primary key,
    plant_version text not null references plant_version,
    released_plan text
);
create unique index site_only on site ((true));

create table clock_anchor (
    single boolean primary key default true check (single),
    plant_at timestamptz not null,
    wall_at timestamptz not null,
    rate double precision not null check (rate >= 0)
);

create table tag (
    id integer generated always as identity primary key,
    path text not null unique,
    machine text not null,
    signal text not null,
    is_text boolean not null
);
create index tag_machine on tag (machine);

-- What pages read of a machine now: one row each. `signals` holds per signal its newest [time, value, quality].
create table machine_latest (
    machine text primary key,
    state text not null default 'unknown',
    since timestamptz,
    reason text not null default '',
    job_order text,
    signals jsonb not null default '{}',
    updated_at timestamptz
);

-- Kept by one writer at a time per machine: no interval overlaps another, and only the last may be open.
create table machine_state (
    machine text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    state text not null,
    reason text not null default '',
    job_order text,
    primary key (machine, started_at),
    check (ended_at > started_at)
);
create unique index machine_state_open on machine_state (machine) where ended_at is null;

-- Ended intervals split at hours (UTC).
create table state_1h (
    machine text not null,
    hour timestamptz not null,
    state text not null,
    duration_s double precision not null,
    primary key (machine, hour, state)
);

create table customer_order (
    id text primary key,
    customer text not null,
    item text not null,
    quantity integer not null check (quantity > 0),
    ordered_at timestamptz not null,
    due_at timestamptz not null,
    priority text not null
);

create table production_order (
    id text primary key,
    customer_order text not null references customer_order,
    item text not null,
    quantity integer not null check (quantity > 0),
    release_at timestamptz not null,
    components text[] not null default '{}',
    place integer not null
);
create index production_order_customer_order on production_order (customer_order);

create table job_order (
    id text primary key,
    production_order text not null references production_order,
    customer_order text not null references customer_order,
    item text not null,
    operation text not null,
    quantity integer not null check (quantity > 0),
    release_at timestamptz not null,
    predecessors text[] not null default '{}',
    place integer not null,
    state text not null default 'waiting',
    machine text,
    started_at timestamptz,
    completed_at timestamptz,
    good integer not null default 0 check (good >= 0),
    scrap integer not null default 0 check (scrap >= 0),
    revision bigint not null default 0 -- of the release that dispatched it last
);
create index job_order_customer_order on job_order (customer_order);
create index job_order_open on job_order (state) where state <> 'completed';

create table job_response (
    id uuid primary key,
    job_order text not null references job_order,
    kind text not null,
    at timestamptz not null,
    machine text not null,
    good integer not null,
    scrap integer not null,
    reason text not null default '',
    received_at timestamptz not null -- wall
);
create index job_response_job_order on job_response (job_order, at);

create table plan_version (
    id text primary key,
    parent text references plan_version,
    plant_version text not null references plant_version,
    made_at timestamptz not null,
    document jsonb not null
);
create index plan_version_made_at on plan_version (made_at);
alter table site add foreign key (released_plan) references plan_version;

-- Where a plan version stands is its last row here; the version itself never changes. The number of the row that
-- tells of its release is the release's revision: it grows with every release.
create table plan_state (
    number bigint generated always as identity primary key,
    plan_version text not null references plan_version,
    state text not null,
    at timestamptz not null, -- wall
    actor text not null
);
create index plan_state_plan_version on plan_state (plan_version, number);

create table outbox (
    id uuid primary key,
    kind text not null,
    subject text not null,
    payload jsonb not null,
    state text not null default 'pending',
    attempts integer not null default 0,
    due_at timestamptz not null, -- wall
    created_at timestamptz not null, -- wall
    settled_at timestamptz, -- wall
    detail text not null default ''
);
create index outbox_pending on outbox (subject, id) where state = 'pending';

-- What could not be taken in, with payload and reason; the same again only counts.
create table quarantine (
    source text not null,
    digest text not null,
    payload text not null,
    reason text not null,
    repeats bigint not null default 1,
    first_at timestamptz not null, -- wall
    last_at timestamptz not null, -- wall
    primary key (source, digest)
);
create index quarantine_last_at on quarantine (last_at);

create table account (
    name text primary key,
    password_hash text not null,
    roles text[] not null,
    active boolean not null default true,
    created_at timestamptz not null -- wall
);

create table session (
    digest bytea primary key,
    account text not null references account on delete cascade,
    created_at timestamptz not null, -- wall
    expires_at timestamptz not null -- wall
);

create table api_key (
    name text primary key,
    digest bytea not null unique,
    roles text[] not null,
    created_at timestamptz not null -- wall
);

create table ledger (
    number bigint generated always as identity primary key,
    at timestamptz not null, -- wall
    actor text not null,
    use_case text not null,
    subject text not null,
    kind text not null,
    before json, -- not jsonb: the hash is over what was written, to the last digit
    after json,
    hash text not null
);
create index ledger_subject on ledger (subject, number);

create table long_job (
    id uuid primary key,
    kind text not null,
    subject text not null,
    requested_by text not null,
    state text not null,
    share double precision not null default 0 check (share between 0 and 1),
    doing text not null default '',
    result text,
    error text not null default '',
    cancel_requested boolean not null default false,
    created_at timestamptz not null, -- wall
    updated_at timestamptz not null, -- wall
    finished_at timestamptz -- wall
);
create index long_job_created_at on long_job (created_at);
