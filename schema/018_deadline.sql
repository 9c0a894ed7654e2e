-- When the sweep must be done, and what of it still fits, as last decided: a row `skipped` of decisions
-- has the same numbers as its detail.
ALTER TABLE sweeps ADD COLUMN deadline_at TEXT;
ALTER TABLE sweeps ADD COLUMN fits TEXT CHECK (fits IS NULL OR json_valid(fits));
