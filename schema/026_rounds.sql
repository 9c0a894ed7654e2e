-- What was submitted before goes on as it began: through each stage once. Fewer runs are one round.
UPDATE sweeps SET spec = json_set(spec, '$.rounds', json('false'))
WHERE json_valid(spec) AND spec ->> '$.method' = 'coarse_to_fine' AND spec ->> '$.run_cap' >= 48;
