-- Why the search did what it did, and treatments without a sweep in disguise.

-- reason: in words; detail: numbers it rests on; seen_event: the last event it could see.
CREATE TABLE decisions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    sweep_id   INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    run_id     INTEGER,
    kind       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    detail     TEXT CHECK (detail IS NULL OR json_valid(detail)),
    seen_event INTEGER
) STRICT;

CREATE INDEX decisions_run ON decisions(sweep_id, run_id);

-- Of a treatment by hand: the metric of its parent, which is a run of another sweep.
ALTER TABLE runs ADD COLUMN parent_metric ANY
    CHECK (typeof(parent_metric) IN ('real', 'null') OR parent_metric IS 'nan');
UPDATE runs SET parent_metric =
    (SELECT cast(s.spec ->> '$.treats.metric_value' AS REAL) FROM sweeps AS s
     WHERE s.id = runs.sweep_id)
WHERE kind = 'treatment' AND sweep_id IN
    (SELECT id FROM sweeps WHERE json_type(spec, '$.treats.metric_value') IN ('real', 'integer'));
UPDATE sweeps SET spec = json_remove(spec, '$.treats') WHERE json_type(spec, '$.treats') IS NOT NULL;
