-- What was submitted before goes on as it began: of so few epochs runs of coarse_to_fine train to their end.
UPDATE sweeps SET spec = json_set(spec, '$.early_terminate', json('{"type":"none"}'))
WHERE json_valid(spec) AND spec ->> '$.method' = 'coarse_to_fine' AND spec ->> '$.epochs' BETWEEN 9 AND 17
    AND spec -> '$.early_terminate' IS NULL AND spec -> '$.objectives' IS NULL;
