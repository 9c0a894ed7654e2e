-- What a night without anybody needs.

-- An id of the client's choice: to submit the same again gives the sweep that is there.
ALTER TABLE sweeps ADD COLUMN submit_id TEXT;
CREATE UNIQUE INDEX sweeps_submit_id ON sweeps(submit_id) WHERE submit_id IS NOT NULL;
-- A start asks for these, and for nothing else, however many have ended.
CREATE INDEX sweeps_open ON sweeps(id) WHERE status NOT IN ('completed', 'cancelled');
CREATE INDEX runs_unended ON runs(handle) WHERE status = 'cancelled' AND handle IS NOT NULL;
