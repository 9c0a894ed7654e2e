-- Runs that pause at rungs: how far a run may go now, beside the horizon its schedule counts to, and
-- who lets a paused one go on.

ALTER TABLE runs ADD COLUMN until_epoch INTEGER CHECK (until_epoch BETWEEN 1 AND epochs);
ALTER TABLE runs ADD COLUMN paused_by TEXT
    CHECK (paused_by IS NULL OR (status = 'paused' AND paused_by IN ('person', 'rung')));
