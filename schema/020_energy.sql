-- What a run's workers used by RAPL, as their share of processor time in all of the machine's. NULL: not
-- measured.
ALTER TABLE runs ADD COLUMN joules REAL CHECK (joules > 0);
