-- What a sweep's data was taken for: the file's own name of what is predicted, what else was inferred
-- (a JSON list of {"key", "text"}), and the task.
ALTER TABLE sweeps ADD COLUMN data_target TEXT;
ALTER TABLE sweeps ADD COLUMN data_notes TEXT;
ALTER TABLE sweeps ADD COLUMN data_task TEXT GENERATED ALWAYS AS
    (CASE WHEN coalesce(data_hash, '') = '' THEN NULL WHEN data_classes > 0 THEN 'classification'
          ELSE 'regression' END) VIRTUAL;

-- Whole numbers are judged by another rule since, and a regression trains on scaled targets. What was
-- submitted before goes on as it began.
UPDATE sweeps SET spec = json_set(spec, '$.data.task',
                                  iif(data_classes > 0, 'classification', 'regression'))
WHERE data_hash <> '' AND json_type(spec, '$.data') = 'object'
  AND json_type(spec, '$.data.task') IS NULL
  AND coalesce(spec ->> '$.data.format', 'idx') <> 'idx';
UPDATE runs SET settings = json_set(settings, '$.train.target_scale', 'none')
WHERE json_type(settings, '$.train') = 'object'
  AND sweep_id IN (SELECT id FROM sweeps WHERE data_hash <> '' AND data_classes = 0);
UPDATE sweeps SET spec = json_set(spec, '$.train.target_scale', 'none')
WHERE data_hash <> '' AND data_classes = 0 AND json_type(spec, '$.train') = 'object';
