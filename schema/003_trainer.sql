-- The complete trainer: F1 and R2 of the held-out samples, test scores of a sweep's winners, and
-- settings of the data, which may be swept since.

ALTER TABLE curves ADD COLUMN val_f1 ANY
    CHECK (typeof(val_f1) IN ('real', 'null') OR val_f1 IS 'nan');
ALTER TABLE curves ADD COLUMN val_r2 ANY
    CHECK (typeof(val_r2) IN ('real', 'null') OR val_r2 IS 'nan');
ALTER TABLE runs ADD COLUMN test_loss ANY
    CHECK (typeof(test_loss) IN ('real', 'null') OR test_loss IS 'nan');
ALTER TABLE runs ADD COLUMN test_acc ANY
    CHECK (typeof(test_acc) IN ('real', 'null') OR test_acc IS 'nan');

-- What was submitted before knew no stratified split: what is left of it goes on as it began.
UPDATE sweeps SET spec = json_set(spec, '$.data.stratify', json('false'))
WHERE json_type(spec, '$.data') = 'object';
UPDATE runs SET settings = json_set(settings, '$.data',
    (SELECT json_object('limit', coalesce(s.spec ->> '$.data.limit', 0),
                        'validation', coalesce(s.spec ->> '$.data.validation', 0),
                        'on_nan', coalesce(s.spec ->> '$.data.on_nan', 'hold'),
                        'stratify', json('false'))
     FROM sweeps AS s WHERE s.id = runs.sweep_id));

DROP VIEW best_runs;
DROP VIEW run_overview;
DROP VIEW canonical_content;

-- As in 002_views.sql; the new columns come last.
CREATE VIEW best_runs AS
SELECT k.sweep_id, k.rank, r.id AS run_id, r.val_loss, r.val_acc, r.best_epoch, r.learning_rate,
       r.batch_size, r.optimizer, r.depth, l.pattern AS label, p.remedy, r.epochs, r.seconds,
       r.metric_value, r.stage, r.number, r.status, r.test_loss, r.test_acc
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
       r.seconds, r.created_at, r.started_at, r.ended_at, r.test_loss, r.test_acc
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN patterns AS p ON p.name = l.pattern;

-- All that must be equal between two executions of the same sweep; nothing of ids, times, pids
-- or attempts. Compare it with `sqlite3 -quote`, which prints every bit of a REAL.
CREATE VIEW canonical_content AS
SELECT s.name AS sweep, s.spec, r.number, r.kind, r.stage, r.params, r.status,
       l.pattern AS label, c.point, c.epoch, c.train_loss, c.val_loss, c.train_acc, c.val_acc,
       c.train_loss_min, c.train_loss_max, c.train_loss_sd, c.learning_rate, c.grad_norm,
       c.penalty, c.train_loss_eval, c.val_f1, c.val_r2
FROM runs AS r
JOIN sweeps AS s ON s.id = r.sweep_id
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN curves AS c ON c.run_id = r.id
ORDER BY s.name, s.spec, s.id, r.number, c.point;
