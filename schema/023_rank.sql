-- A run that failed or was cancelled has no rank: what it showed before is no result, and never the
-- best of its sweep.
UPDATE runs SET rank_key = NULL WHERE status IN ('failed', 'cancelled') AND rank_key IS NOT NULL;
