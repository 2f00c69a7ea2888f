-- A machine's planned stop is told as people's absences are: of one subject the last row counts.
alter table disturbance drop constraint disturbance_kind_check;
alter table disturbance add constraint disturbance_kind_check
    check (kind in ('absence', 'late material', 'planned stop'));
