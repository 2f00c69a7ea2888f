-- What a business system refused is looked up for people, and whether a later message has replaced it.
create index outbox_refused on outbox (settled_at) where state = 'refused';
create index outbox_subject on outbox (subject, id);
