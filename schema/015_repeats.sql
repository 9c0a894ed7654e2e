-- What was submitted before goes on as it began: no share of its runs is kept for other seeds of the
-- best few.
UPDATE sweeps SET spec = json_set(spec, '$.repeat_share', 0)
WHERE json_valid(spec) AND method NOT IN ('grid', 'by_hand');
