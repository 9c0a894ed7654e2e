-- What the sweep knows of earlier ones (`warm_start` of its specification), fixed at submit: the runs,
-- the configurations to try first, and what was said of them.
ALTER TABLE sweeps ADD COLUMN warm_start TEXT CHECK (warm_start IS NULL OR json_valid(warm_start));
