-- The diagnosis, second half: why a run is sick, what was tried against it, and what that taught.

-- What was submitted before knew no treatments: it goes on as it began.
UPDATE sweeps SET spec = json_set(spec, '$.treat', json('false')) WHERE json_valid(spec);

ALTER TABLE sweeps ADD COLUMN data_facts TEXT
    CHECK (data_facts IS NULL OR json_valid(data_facts));
-- Success of remedies in earlier sweeps, frozen at submit.
ALTER TABLE sweeps ADD COLUMN remedy_prior TEXT
    CHECK (remedy_prior IS NULL OR json_valid(remedy_prior));
-- 1: a person resumed it although its data was said to be at fault.
ALTER TABLE sweeps ADD COLUMN data_accepted INTEGER NOT NULL DEFAULT 0;

-- Of a treatment: the remedy, the label of the parent that it answers, and what came of it.
-- change: (metric - the parent's) / |the parent's|, negated where the goal is to maximize, so that
-- below 0 is better; NULL where one of the two is not finite.
ALTER TABLE runs ADD COLUMN remedy TEXT;
ALTER TABLE runs ADD COLUMN guide_ref TEXT;
ALTER TABLE runs ADD COLUMN treats_pattern TEXT;
ALTER TABLE runs ADD COLUMN treats_cause TEXT;
ALTER TABLE runs ADD COLUMN cured INTEGER CHECK (cured IN (0, 1));
ALTER TABLE runs ADD COLUMN change REAL;

CREATE INDEX runs_remedy ON runs(treats_pattern, treats_cause, remedy) WHERE remedy IS NOT NULL;

-- cause: the likeliest, NULL where nothing is wrong; causes: all of them with their evidence;
-- facts: the numbers it was judged by.
ALTER TABLE labels ADD COLUMN cause TEXT;
ALTER TABLE labels ADD COLUMN causes TEXT CHECK (causes IS NULL OR json_valid(causes));
ALTER TABLE labels ADD COLUMN facts TEXT CHECK (facts IS NULL OR json_valid(facts));

-- Edits of the search range that a sweep's runs speak for, as they stand at its last barrier.
CREATE TABLE range_edits (
    sweep_id   INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    position   INTEGER NOT NULL CHECK (position >= 1),
    kind       TEXT NOT NULL,
    setting    TEXT NOT NULL,
    from_value TEXT CHECK (from_value IS NULL OR json_valid(from_value)),
    to_value   TEXT CHECK (to_value IS NULL OR json_valid(to_value)),
    runs       TEXT NOT NULL CHECK (json_valid(runs)),
    guide_ref  TEXT,
    sentence   TEXT NOT NULL,
    PRIMARY KEY (sweep_id, position)
) STRICT, WITHOUT ROWID;

DROP VIEW run_overview;
DROP VIEW best_runs;
DROP VIEW canonical_content;

-- As in 003_trainer.sql; the new columns come last.
CREATE VIEW best_runs AS
SELECT k.sweep_id, k.rank, r.id AS run_id, r.val_loss, r.val_acc, r.best_epoch, r.learning_rate,
       r.batch_size, r.optimizer, r.depth, l.pattern AS label, p.remedy, r.epochs, r.seconds,
       r.metric_value, r.stage, r.number, r.status, r.test_loss, r.test_acc, l.cause, r.kind,
       r.remedy AS treated_with, r.parent_id
FROM (SELECT id, sweep_id,
             row_number() OVER (PARTITION BY sweep_id ORDER BY rank_key, number) AS rank
      FROM runs
      WHERE rank_key IS NOT NULL) AS k
CROSS JOIN runs AS r ON r.id = k.id
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN patterns AS p ON p.name = l.pattern;

CREATE VIEW run_overview AS
SELECT r.sweep_id, r.id AS run_id, r.number, r.kind, r.stage, r.status, r.params,
       r.metric_value, r.best_epoch, r.val_loss, r.val_acc,
       (SELECT c.epoch FROM curves AS c WHERE c.run_id = r.id ORDER BY c.point DESC LIMIT 1)
           AS epochs_done,
       r.epochs, l.pattern AS label, l.confidence, p.remedy, r.reason, r.stop_reason,
       r.error_class, r.error_text, r.signal, r.attempts, r.parent_id, r.pid,
       r.learning_rate, r.batch_size, r.optimizer, r.depth, r.width, r.activation,
       r.seconds, r.created_at, r.started_at, r.ended_at, r.test_loss, r.test_acc, l.cause,
       r.remedy AS treated_with, r.guide_ref, r.treats_pattern, r.treats_cause, r.cured, r.change
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN patterns AS p ON p.name = l.pattern;

CREATE VIEW treatments AS
SELECT r.sweep_id, r.id AS run_id, r.number, r.parent_id, r.treats_pattern AS pattern,
       r.treats_cause AS cause, r.remedy, r.guide_ref, r.status, l.pattern AS label,
       r.metric_value, r.cured, r.change
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id
WHERE r.remedy IS NOT NULL;

-- Does the guide's advice work on your data? median_change: the middle one, the lower of two.
CREATE VIEW remedy_effects AS
SELECT treats_pattern AS pattern, treats_cause AS cause, remedy, max(guide_ref) AS guide_ref,
       count(*) AS tried, sum(cured) AS cured,
       max(change) FILTER (WHERE change IS NOT NULL AND place <= (known + 1) / 2)
           AS median_change
FROM (SELECT treats_pattern, treats_cause, remedy, guide_ref, cured, change,
             row_number() OVER (PARTITION BY treats_pattern, treats_cause, remedy
                                ORDER BY change IS NULL, change) AS place,
             count(change) OVER (PARTITION BY treats_pattern, treats_cause, remedy) AS known
      FROM runs
      WHERE remedy IS NOT NULL AND cured IS NOT NULL)
GROUP BY treats_pattern, treats_cause, remedy
ORDER BY treats_pattern, treats_cause, cured * 1.0 / count(*) DESC, remedy;

-- All that must be equal between two executions of the same sweep; nothing of ids, times, pids
-- or attempts. Compare it with `sqlite3 -quote`, which prints every bit of a REAL.
CREATE VIEW canonical_content AS
SELECT s.name AS sweep, s.spec, r.number, r.kind, r.stage, r.params, r.status,
       l.pattern AS label, l.cause, r.remedy, r.cured,
       (SELECT parent.number FROM runs AS parent WHERE parent.id = r.parent_id) AS parent,
       c.point, c.epoch, c.train_loss, c.val_loss, c.train_acc, c.val_acc,
       c.train_loss_min, c.train_loss_max, c.train_loss_sd, c.learning_rate, c.grad_norm,
       c.penalty, c.train_loss_eval, c.val_f1, c.val_r2
FROM runs AS r
JOIN sweeps AS s ON s.id = r.sweep_id
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN curves AS c ON c.run_id = r.id
ORDER BY s.name, s.spec, s.id, r.number, c.point;
