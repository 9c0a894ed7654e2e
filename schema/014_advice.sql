-- What can be done about a label, of what the run has not yet: in words the first, and all by name
-- (a JSON list, [] where nothing can). NULL: labelled before, relabel finds it.
ALTER TABLE labels ADD COLUMN remedy TEXT;
ALTER TABLE labels ADD COLUMN remedies TEXT CHECK (remedies IS NULL OR json_valid(remedies));

-- What was submitted before goes on as it began: later stages take over nothing of a treatment.
UPDATE sweeps SET spec = json_set(spec, '$.carry_on', json('false'))
WHERE json_valid(spec) AND method = 'coarse_to_fine' AND spec ->> '$.treat' = 1;
