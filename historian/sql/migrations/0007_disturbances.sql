-- What people report to be otherwise than the plant's folder says. Of one subject the last row counts.
create table disturbance (
    number bigint generated always as identity primary key,
    kind text not null check (kind in ('absence', 'late material')),
    subject text not null, -- a person or a purchased item
    since timestamptz not null, -- plant
    until timestamptz not null, -- plant
    reported_at timestamptz not null, -- wall
    reported_by text not null
);
create index disturbance_subject on disturbance (kind, subject, number);
