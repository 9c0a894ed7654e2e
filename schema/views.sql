-- All views, for people; the daemon's queries read them too. At every open of a database those
-- that have another text there are made anew: a change is made here, and no migration knows views.

-- The runs of a sweep that have a metric, best first. The inner query runs over the index
-- runs_rank alone, in its order, and CROSS JOIN keeps it the outer loop: so LIMIT 10 touches ten
-- runs, and the rows come out by rank without a sort.
CREATE VIEW best_runs AS
SELECT k.sweep_id, k.rank, r.id AS run_id, r.val_loss, r.val_acc, r.best_epoch, r.learning_rate,
       r.batch_size, r.optimizer, r.depth, l.pattern AS label, p.remedy, r.epochs, r.seconds,
       r.metric_value, r.stage, r.number, r.status, r.test_loss, r.test_acc, l.cause, r.kind,
       r.remedy AS treated_with, r.parent_id, r.params
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
       r.error_class, r.error_text, r.signal, r.attempts, r.parent_id, r.handle,
       r.learning_rate, r.batch_size, r.optimizer, r.depth, r.width, r.activation,
       r.seconds, r.created_at, r.started_at, r.ended_at, r.test_loss, r.test_acc, l.cause,
       r.remedy AS treated_with, r.guide_ref, r.treats_pattern, r.treats_cause, r.cured, r.change
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN patterns AS p ON p.name = l.pattern;

CREATE VIEW sweep_overview AS
SELECT s.id, s.name, s.status, s.reason, s.method, s.metric, s.goal, s.run_cap, s.epochs,
       s.priority, s.after_sweep,
       (SELECT count(*) FROM runs AS r WHERE r.sweep_id = s.id) AS runs,
       (SELECT count(*) FROM runs AS r
        WHERE r.sweep_id = s.id
          AND r.status IN ('completed', 'stopped', 'failed', 'cancelled')) AS done,
       (SELECT count(*) FROM runs AS r WHERE r.sweep_id = s.id AND r.status = 'running')
           AS running,
       (SELECT count(*) FROM runs AS r WHERE r.sweep_id = s.id AND r.status = 'failed')
           AS failed,
       (SELECT r.metric_value FROM runs AS r
        WHERE r.sweep_id = s.id AND r.rank_key IS NOT NULL
        ORDER BY r.rank_key, r.number LIMIT 1) AS best,
       (SELECT r.id FROM runs AS r
        WHERE r.sweep_id = s.id AND r.rank_key IS NOT NULL
        ORDER BY r.rank_key, r.number LIMIT 1) AS best_run,
       s.created_at, s.started_at, s.ended_at
FROM sweeps AS s;

CREATE VIEW label_counts AS
SELECT r.sweep_id, l.pattern, p.guide_ref, count(*) AS runs, p.says
FROM runs AS r
JOIN labels AS l ON l.run_id = r.id
JOIN patterns AS p ON p.name = l.pattern
GROUP BY r.sweep_id, l.pattern
ORDER BY r.sweep_id, runs DESC, p.position;

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

-- All that must be equal between two executions of the same sweep; nothing of ids, times, handles
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
