-- What people read is kept with its template and values, so that every reader is told it in their own language;
-- a text that a person wrote stays one.
alter table long_job
    alter column subject type jsonb using to_jsonb(subject),
    alter column doing drop default,
    alter column doing type jsonb using to_jsonb(doing),
    alter column doing set default '""',
    alter column error drop default,
    alter column error type jsonb using to_jsonb(error),
    alter column error set default '""';
