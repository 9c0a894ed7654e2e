-- A run that waits after failures waits on after a restart: how many in a row, until when, for what.
ALTER TABLE runs ADD COLUMN retry_failures INTEGER;
ALTER TABLE runs ADD COLUMN retry_at TEXT;
ALTER TABLE runs ADD COLUMN retry_for TEXT;

-- What cannot be read is no full disk. A column's CHECK cannot be changed, so the column is made anew.
ALTER TABLE runs ADD COLUMN failure TEXT
    CHECK (failure IN ('config_error', 'data_error', 'worker_crash', 'exited', 'killed',
           'out_of_memory', 'spawn_error', 'disk_full', 'file_unreadable', 'protocol_error',
           'killed_by_user', 'timeout', 'hung', 'data_missing', 'not_a_number'));
UPDATE runs SET failure = error_class WHERE error_class IS NOT NULL;
ALTER TABLE runs DROP COLUMN error_class;
ALTER TABLE runs RENAME COLUMN failure TO error_class;
