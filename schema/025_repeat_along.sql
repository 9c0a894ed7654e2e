-- What was submitted before goes on as it began: all other seeds of its best few come at its end.
UPDATE sweeps SET spec = json_set(spec, '$.repeat_along', json('false'))
WHERE json_valid(spec) AND spec ->> '$.repeat_share' > 0;
