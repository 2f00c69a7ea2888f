-- name: insert_customer_order
insert into customer_order (id, customer, item, quantity, ordered_at, due_at, priority)
values (%(id)s, %(customer)s, %(item)s, %(quantity)s, %(ordered_at)s, %(due_at)s, %(priority)s)

-- name: customer_orders
select id, customer, item, quantity, ordered_at, due_at, priority
from customer_order
where %(id)s::text is null or id = %(id)s
order by due_at, id

-- name: insert_production_order
insert into production_order (id, customer_order, item, quantity, release_at, components, place)
values (%(id)s, %(customer_order)s, %(item)s, %(quantity)s, %(release_at)s, %(components)s, %(place)s)

-- name: production_orders
select id, customer_order, item, quantity, release_at, components
from production_order
where %(customer_order)s::text is null or customer_order = %(customer_order)s
order by customer_order, place

-- name: insert_job_order
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
where (%(customer_order)s::text is null or customer_order = %(customer_order)s)
    and (not %(open_only)s or state <> 'completed')
order by customer_order, place

-- name: lock_job
select
    id, production_order, customer_order, item, operation, quantity, release_at, predecessors,
    state, machine, started_at, completed_at, good, scrap
from job_order
where id = %(id)s
for update

-- name: save_progress
update job_order
set state = %(state)s, machine = %(machine)s, started_at = %(started_at)s, completed_at = %(completed_at)s,
    good = %(good)s, scrap = %(scrap)s
where id = %(id)s

-- name: mark_dispatched
with chosen as (
    select id
    from job_order
    where id = any(%(ids)s) and revision < %(revision)s and state in ('waiting', 'dispatched', 'aborted')
    order by id
    for update
)
update job_order
set state = 'dispatched', revision = %(revision)s
from chosen
where job_order.id = chosen.id
returning job_order.id
