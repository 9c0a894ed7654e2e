-- What a run came to in each of several objectives of its sweep, when it completed or was stopped:
-- [0.31, 12.5], in their order; null: not known.
ALTER TABLE runs ADD COLUMN objectives TEXT CHECK (objectives IS NULL OR json_valid(objectives));
CREATE INDEX runs_objectives ON runs(sweep_id) WHERE objectives IS NOT NULL;
