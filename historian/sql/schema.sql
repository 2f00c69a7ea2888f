-- Made by: WRITE_SCHEMA=1 pytest tests/historian/test_migrations.py
CREATE FUNCTION public.make_week(parent text, week timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    child text := parent || '_' || to_char(week at time zone 'UTC', 'YYYYMMDD');
    following timestamptz := week + interval '168 hours';
begin
    perform pg_advisory_xact_lock(hashtextextended(child, 0));
    -- Not to_regclass: its cache may not have heard of what another writer committed while we waited.
    if exists (select from pg_class where relname = child and pg_table_is_visible(oid)) then
        return;
    end if;
    execute format('create table %I (like %I including all)', child, parent);
    execute format(
        'with moved as (delete from %I where time >= %L and time < %L returning *) insert into %I select * from moved',
        parent || '_default', week, following, child);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, week, following);
end
$$;
CREATE TABLE public.account (
    name text NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.api_key (
    name text NOT NULL,
    digest bytea NOT NULL,
    roles text[] NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.calibration (
    id text NOT NULL,
    plant_version text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    document jsonb NOT NULL
);
CREATE TABLE public.calibration_adoption (
    number bigint NOT NULL,
    calibration text,
    previous bigint,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL
);
ALTER TABLE public.calibration_adoption ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.calibration_adoption_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.clock_anchor (
    single boolean DEFAULT true NOT NULL,
    plant_at timestamp with time zone NOT NULL,
    wall_at timestamp with time zone NOT NULL,
    rate double precision NOT NULL,
    CONSTRAINT clock_anchor_rate_check CHECK ((rate >= (0)::double precision)),
    CONSTRAINT clock_anchor_single_check CHECK (single)
);
CREATE TABLE public.customer_order (
    id text NOT NULL,
    customer text NOT NULL,
    item text NOT NULL,
    quantity integer NOT NULL,
    ordered_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    priority text NOT NULL,
    CONSTRAINT customer_order_quantity_check CHECK ((quantity > 0))
);
CREATE TABLE public.disturbance (
    number bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    reported_by text NOT NULL,
    CONSTRAINT disturbance_kind_check CHECK ((kind = ANY (ARRAY['absence'::text, 'late material'::text, 'planned stop'::text])))
);
ALTER TABLE public.disturbance ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.disturbance_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.fidelity (
    number bigint NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    document jsonb NOT NULL
);
ALTER TABLE public.fidelity ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.fidelity_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.job_lock (
    job_order text NOT NULL,
    machine text NOT NULL,
    start_at timestamp with time zone NOT NULL,
    locked_at timestamp with time zone NOT NULL,
    locked_by text NOT NULL
);
CREATE TABLE public.job_order (
    id text NOT NULL,
    production_order text NOT NULL,
    customer_order text NOT NULL,
    item text NOT NULL,
    operation text NOT NULL,
    quantity integer NOT NULL,
    release_at timestamp with time zone NOT NULL,
    predecessors text[] DEFAULT '{}'::text[] NOT NULL,
    place integer NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    machine text,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    good integer DEFAULT 0 NOT NULL,
    scrap integer DEFAULT 0 NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    CONSTRAINT job_order_good_check CHECK ((good >= 0)),
    CONSTRAINT job_order_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT job_order_scrap_check CHECK ((scrap >= 0))
);
CREATE TABLE public.job_response (
    id uuid NOT NULL,
    job_order text NOT NULL,
    kind text NOT NULL,
    at timestamp with time zone NOT NULL,
    machine text NOT NULL,
    good integer NOT NULL,
    scrap integer NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    received_at timestamp with time zone NOT NULL
);
CREATE TABLE public.learned (
    id text NOT NULL,
    plant_version text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    document jsonb NOT NULL
);
CREATE TABLE public.learned_adoption (
    number bigint NOT NULL,
    learned text,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL
);
ALTER TABLE public.learned_adoption ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.learned_adoption_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.ledger (
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    use_case text NOT NULL,
    subject text NOT NULL,
    kind text NOT NULL,
    before json,
    after json,
    hash text NOT NULL
);
ALTER TABLE public.ledger ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ledger_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.long_job (
    id uuid NOT NULL,
    kind text NOT NULL,
    subject jsonb NOT NULL,
    requested_by text NOT NULL,
    state text NOT NULL,
    share double precision DEFAULT 0 NOT NULL,
    doing jsonb DEFAULT '""'::jsonb NOT NULL,
    result text,
    error jsonb DEFAULT '""'::jsonb NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    near boolean DEFAULT false NOT NULL,
    CONSTRAINT long_job_share_check CHECK (((share >= (0)::double precision) AND (share <= (1)::double precision)))
);
CREATE TABLE public.machine_latest (
    machine text NOT NULL,
    state text DEFAULT 'unknown'::text NOT NULL,
    since timestamp with time zone,
    reason text DEFAULT ''::text NOT NULL,
    job_order text,
    signals jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone
);
CREATE TABLE public.machine_state (
    machine text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    job_order text,
    CONSTRAINT machine_state_check CHECK ((ended_at > started_at))
);
CREATE TABLE public.outbox (
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.plan_forecast (
    plan_version text NOT NULL,
    document jsonb NOT NULL
);
CREATE TABLE public.plan_state (
    number bigint NOT NULL,
    plan_version text NOT NULL,
    state text NOT NULL,
    at timestamp with time zone NOT NULL,
    actor text NOT NULL
);
ALTER TABLE public.plan_state ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.plan_state_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.plan_version (
    id text NOT NULL,
    parent text,
    plant_version text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    document jsonb NOT NULL
);
CREATE TABLE public.plant_version (
    id text NOT NULL,
    document_hash text NOT NULL,
    document jsonb NOT NULL,
    imported_at timestamp with time zone NOT NULL
);
CREATE TABLE public.production_order (
    id text NOT NULL,
    customer_order text NOT NULL,
    item text NOT NULL,
    quantity integer NOT NULL,
    release_at timestamp with time zone NOT NULL,
    components text[] DEFAULT '{}'::text[] NOT NULL,
    place integer NOT NULL,
    CONSTRAINT production_order_quantity_check CHECK ((quantity > 0))
);
CREATE TABLE public.quarantine (
    source text NOT NULL,
    digest text NOT NULL,
    payload text NOT NULL,
    reason text NOT NULL,
    repeats bigint DEFAULT 1 NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL
);
CREATE TABLE public.sample (
    tag_id integer NOT NULL,
    ordinal smallint DEFAULT 0 NOT NULL,
    "time" timestamp with time zone NOT NULL,
    value double precision,
    quality bigint DEFAULT 0 NOT NULL
)
PARTITION BY RANGE ("time");
CREATE TABLE public.sample_1h (
    tag_id integer NOT NULL,
    bucket timestamp with time zone NOT NULL,
    count bigint NOT NULL,
    minimum double precision,
    maximum double precision,
    total double precision
);
CREATE TABLE public.sample_1m (
    tag_id integer NOT NULL,
    bucket timestamp with time zone NOT NULL,
    count bigint NOT NULL,
    minimum double precision,
    maximum double precision,
    total double precision
);
CREATE TABLE public.sample_default (
    tag_id integer CONSTRAINT sample_tag_id_not_null NOT NULL,
    ordinal smallint DEFAULT 0 CONSTRAINT sample_ordinal_not_null NOT NULL,
    "time" timestamp with time zone CONSTRAINT sample_time_not_null NOT NULL,
    value double precision,
    quality bigint DEFAULT 0 CONSTRAINT sample_quality_not_null NOT NULL
);
CREATE TABLE public.sample_text (
    tag_id integer NOT NULL,
    ordinal smallint DEFAULT 0 NOT NULL,
    "time" timestamp with time zone NOT NULL,
    quality bigint DEFAULT 0 NOT NULL,
    value text
)
PARTITION BY RANGE ("time");
CREATE TABLE public.sample_text_default (
    tag_id integer CONSTRAINT sample_text_tag_id_not_null NOT NULL,
    ordinal smallint DEFAULT 0 CONSTRAINT sample_text_ordinal_not_null NOT NULL,
    "time" timestamp with time zone CONSTRAINT sample_text_time_not_null NOT NULL,
    quality bigint DEFAULT 0 CONSTRAINT sample_text_quality_not_null NOT NULL,
    value text
);
CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);
CREATE TABLE public.session (
    digest bytea NOT NULL,
    account text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.site (
    site text NOT NULL,
    plant_version text NOT NULL,
    released_plan text
);
CREATE TABLE public.state_1h (
    machine text NOT NULL,
    hour timestamp with time zone NOT NULL,
    state text NOT NULL,
    duration_s double precision NOT NULL
);
CREATE TABLE public.tag (
    id integer NOT NULL,
    path text NOT NULL,
    machine text NOT NULL,
    signal text NOT NULL,
    is_text boolean NOT NULL
);
ALTER TABLE public.tag ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tag_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE ONLY public.sample ATTACH PARTITION public.sample_default DEFAULT;
ALTER TABLE ONLY public.sample_text ATTACH PARTITION public.sample_text_default DEFAULT;
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.calibration_adoption
    ADD CONSTRAINT calibration_adoption_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.calibration
    ADD CONSTRAINT calibration_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.clock_anchor
    ADD CONSTRAINT clock_anchor_pkey PRIMARY KEY (single);
ALTER TABLE ONLY public.customer_order
    ADD CONSTRAINT customer_order_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.disturbance
    ADD CONSTRAINT disturbance_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.fidelity
    ADD CONSTRAINT fidelity_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.job_lock
    ADD CONSTRAINT job_lock_pkey PRIMARY KEY (job_order);
ALTER TABLE ONLY public.job_order
    ADD CONSTRAINT job_order_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.job_response
    ADD CONSTRAINT job_response_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.learned_adoption
    ADD CONSTRAINT learned_adoption_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.learned
    ADD CONSTRAINT learned_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.long_job
    ADD CONSTRAINT long_job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.machine_latest
    ADD CONSTRAINT machine_latest_pkey PRIMARY KEY (machine);
ALTER TABLE ONLY public.machine_state
    ADD CONSTRAINT machine_state_pkey PRIMARY KEY (machine, started_at);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plan_forecast
    ADD CONSTRAINT plan_forecast_pkey PRIMARY KEY (plan_version);
ALTER TABLE ONLY public.plan_state
    ADD CONSTRAINT plan_state_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.plant_version
    ADD CONSTRAINT plant_version_document_hash_key UNIQUE (document_hash);
ALTER TABLE ONLY public.plant_version
    ADD CONSTRAINT plant_version_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.production_order
    ADD CONSTRAINT production_order_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (source, digest);
ALTER TABLE ONLY public.sample_1h
    ADD CONSTRAINT sample_1h_pkey PRIMARY KEY (tag_id, bucket);
ALTER TABLE ONLY public.sample_1m
    ADD CONSTRAINT sample_1m_pkey PRIMARY KEY (tag_id, bucket);
ALTER TABLE ONLY public.sample
    ADD CONSTRAINT sample_pkey PRIMARY KEY (tag_id, "time", ordinal);
ALTER TABLE ONLY public.sample_default
    ADD CONSTRAINT sample_default_pkey PRIMARY KEY (tag_id, "time", ordinal);
ALTER TABLE ONLY public.sample_text
    ADD CONSTRAINT sample_text_pkey PRIMARY KEY (tag_id, "time", ordinal);
ALTER TABLE ONLY public.sample_text_default
    ADD CONSTRAINT sample_text_default_pkey PRIMARY KEY (tag_id, "time", ordinal);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (site);
ALTER TABLE ONLY public.state_1h
    ADD CONSTRAINT state_1h_pkey PRIMARY KEY (machine, hour, state);
ALTER TABLE ONLY public.tag
    ADD CONSTRAINT tag_path_key UNIQUE (path);
ALTER TABLE ONLY public.tag
    ADD CONSTRAINT tag_pkey PRIMARY KEY (id);
CREATE INDEX calibration_made_at ON public.calibration USING btree (made_at);
CREATE INDEX disturbance_subject ON public.disturbance USING btree (kind, subject, number);
CREATE INDEX job_order_customer_order ON public.job_order USING btree (customer_order);
CREATE INDEX job_order_open ON public.job_order USING btree (state) WHERE (state <> 'completed'::text);
CREATE INDEX job_response_job_order ON public.job_response USING btree (job_order, at);
CREATE INDEX learned_made_at ON public.learned USING btree (made_at);
CREATE INDEX ledger_subject ON public.ledger USING btree (subject, number);
CREATE INDEX long_job_created_at ON public.long_job USING btree (created_at);
CREATE UNIQUE INDEX machine_state_open ON public.machine_state USING btree (machine) WHERE (ended_at IS NULL);
CREATE INDEX outbox_pending ON public.outbox USING btree (subject, id) WHERE (state = 'pending'::text);
CREATE INDEX outbox_refused ON public.outbox USING btree (settled_at) WHERE (state = 'refused'::text);
CREATE INDEX outbox_subject ON public.outbox USING btree (subject, id);
CREATE INDEX plan_state_plan_version ON public.plan_state USING btree (plan_version, number);
CREATE INDEX plan_version_made_at ON public.plan_version USING btree (made_at);
CREATE INDEX production_order_customer_order ON public.production_order USING btree (customer_order);
CREATE INDEX quarantine_last_at ON public.quarantine USING btree (last_at);
CREATE UNIQUE INDEX site_only ON public.site USING btree ((true));
CREATE INDEX tag_machine ON public.tag USING btree (machine);
ALTER INDEX public.sample_pkey ATTACH PARTITION public.sample_default_pkey;
ALTER INDEX public.sample_text_pkey ATTACH PARTITION public.sample_text_default_pkey;
ALTER TABLE ONLY public.calibration_adoption
    ADD CONSTRAINT calibration_adoption_calibration_fkey FOREIGN KEY (calibration) REFERENCES public.calibration(id);
ALTER TABLE ONLY public.calibration_adoption
    ADD CONSTRAINT calibration_adoption_previous_fkey FOREIGN KEY (previous) REFERENCES public.calibration_adoption(number);
ALTER TABLE ONLY public.calibration
    ADD CONSTRAINT calibration_plant_version_fkey FOREIGN KEY (plant_version) REFERENCES public.plant_version(id);
ALTER TABLE ONLY public.job_lock
    ADD CONSTRAINT job_lock_job_order_fkey FOREIGN KEY (job_order) REFERENCES public.job_order(id);
ALTER TABLE ONLY public.job_order
    ADD CONSTRAINT job_order_customer_order_fkey FOREIGN KEY (customer_order) REFERENCES public.customer_order(id);
ALTER TABLE ONLY public.job_order
    ADD CONSTRAINT job_order_production_order_fkey FOREIGN KEY (production_order) REFERENCES public.production_order(id);
ALTER TABLE ONLY public.job_response
    ADD CONSTRAINT job_response_job_order_fkey FOREIGN KEY (job_order) REFERENCES public.job_order(id);
ALTER TABLE ONLY public.learned_adoption
    ADD CONSTRAINT learned_adoption_learned_fkey FOREIGN KEY (learned) REFERENCES public.learned(id);
ALTER TABLE ONLY public.learned
    ADD CONSTRAINT learned_plant_version_fkey FOREIGN KEY (plant_version) REFERENCES public.plant_version(id);
ALTER TABLE ONLY public.plan_forecast
    ADD CONSTRAINT plan_forecast_plan_version_fkey FOREIGN KEY (plan_version) REFERENCES public.plan_version(id);
ALTER TABLE ONLY public.plan_state
    ADD CONSTRAINT plan_state_plan_version_fkey FOREIGN KEY (plan_version) REFERENCES public.plan_version(id);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_parent_fkey FOREIGN KEY (parent) REFERENCES public.plan_version(id);
ALTER TABLE ONLY public.plan_version
    ADD CONSTRAINT plan_version_plant_version_fkey FOREIGN KEY (plant_version) REFERENCES public.plant_version(id);
ALTER TABLE ONLY public.production_order
    ADD CONSTRAINT production_order_customer_order_fkey FOREIGN KEY (customer_order) REFERENCES public.customer_order(id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_account_fkey FOREIGN KEY (account) REFERENCES public.account(name) ON DELETE CASCADE;
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_plant_version_fkey FOREIGN KEY (plant_version) REFERENCES public.plant_version(id);
ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_released_plan_fkey FOREIGN KEY (released_plan) REFERENCES public.plan_version(id);
