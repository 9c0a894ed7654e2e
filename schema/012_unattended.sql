-- What a night unattended needs; a block a topic.

-- Whose a run's folder is: ids are given again when a database is deleted or restored from a backup,
-- this name is not. A folder says in identity.json which database, sweep and run it was made for.
CREATE TABLE identity (
    uuid TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO identity(uuid)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-'
    || hex(randomblob(6)));
-- Earlier versions made folders that say nothing: those of runs that were under way then are theirs.
CREATE TABLE unmarked_runs (
    run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE
) STRICT;
INSERT INTO unmarked_runs(run_id)
SELECT id FROM runs WHERE started_at IS NOT NULL AND status IN ('queued', 'running', 'paused');

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

-- An id of the client's choice: to submit the same again gives the sweep that is there.
ALTER TABLE sweeps ADD COLUMN submit_id TEXT;
CREATE UNIQUE INDEX sweeps_submit_id ON sweeps(submit_id) WHERE submit_id IS NOT NULL;
-- A start asks for these, and for nothing else, however many have ended.
CREATE INDEX sweeps_open ON sweeps(id) WHERE status NOT IN ('completed', 'cancelled');
CREATE INDEX runs_unended ON runs(handle) WHERE status = 'cancelled' AND handle IS NOT NULL;
