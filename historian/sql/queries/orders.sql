-- name: insert_customer
insert into customer_order (id, customer, item, quantity, ordered_at, due_at, priority)
values (%(id)s, %(customer)s, %(item)s, %(quantity)s, %(ordered_at)s, %(due_at)s, %(priority)s)
on conflict (id) do nothing

-- name: customers
select id, customer, item, quantity, ordered_at, due_at, priority
from customer_order
where %(ids)s::text[] is null or id = any(%(ids)s)
order by id

-- name: insert_production
insert into production_order (id, customer_order, item, quantity, release_at, components, place)
values (%(id)s, %(customer_order)s, %(item)s, %(quantity)s, %(release_at)s, %(components)s, %(place)s)

-- name: production
select id, customer_order, item, quantity, release_at, components
from production_order
where %(customer_orders)s::text[] is null or customer_order = any(%(customer_orders)s)
order by customer_order, place

-- name: insert_job
insert into job_order (
    id, production_order, customer_order, item, operation, quantity, release_at, predecessors, place)
values (
    %(id)s, %(production_order)s, %(customer_order)s, %(item)s, %(operation)s, %(quantity)s, %(release_at)s,
    %(predecessors)s, %(place)s)

-- name: jobs
select
    id, production_order, customer_order, item, operation, quantity, release_at, predecessors,
    state, machine, started_at, completed_at, good, scrap
from job_order
where (%(ids)s::text[] is null or id = any(%(ids)s))
    and (%(customer_orders)s::text[] is null or customer_order = any(%(customer_orders)s))
    and (not %(open_only)s or state <> 'completed')
order by customer_order, place

-- name: lock_job
select
    id, production_order, customer_order, item, operation, quantity, release_at, predecessors,
    state, machine, started_at, completed_at, good, scrap
from job_order
where id = %(id)s
for update

-- name: update_job
update job_order
set state = %(state)s, machine = %(machine)s, started_at = %(started_at)s, completed_at = %(completed_at)s,
    good = %(good)s, scrap = %(scrap)s
where id = %(id)s

-- name: dispatched
update job_order
set state = 'dispatched', machine = d.machine, dispatched_by = %(plan)s
from unnest(%(ids)s::text[], %(machines)s::text[]) as d (id, machine)
where job_order.id = d.id
    and (state in ('waiting', 'aborted') or state = 'dispatched' and dispatched_by is distinct from %(plan)s)
returning job_order.id
