-- What a night unattended needs; a block a topic.

-- Failures by their present names, and those that are new. A column's CHECK cannot be changed, so the
-- column is made anew.
ALTER TABLE runs ADD COLUMN failure TEXT
    CHECK (failure IN ('config_error', 'data_error', 'worker_crash', 'exited', 'killed',
           'out_of_memory', 'spawn_error', 'disk_full', 'protocol_error', 'killed_by_user',
           'timeout', 'hung', 'data_missing', 'not_a_number'));
UPDATE runs SET failure = CASE error_class WHEN 'crashed' THEN 'worker_crash'
                                           WHEN 'io_error' THEN 'disk_full'
                                           ELSE error_class END
WHERE error_class IS NOT NULL;
ALTER TABLE runs DROP COLUMN error_class;
ALTER TABLE runs RENAME COLUMN failure TO error_class;
