-- All views. At every open of a database those that have another text there are made anew: a change
-- is made here, and no migration knows views. Those that end in _exact have numbers as the tables
-- have them; the daemon's queries read them.

-- The runs of a sweep that are ranked, best first. The inner query runs over the index
-- runs_rank alone, in its order, and CROSS JOIN keeps it the outer loop: so LIMIT 10 touches ten
-- runs, and the rows come out by rank without a sort.
CREATE VIEW best_runs_exact AS
SELECT k.sweep_id, k.rank, r.id AS run_id, r.val_loss, r.val_acc, r.best_epoch, r.learning_rate,
       r.batch_size, r.optimizer, r.depth, l.pattern AS label, l.remedy, r.epochs, r.seconds,
       r.metric_value, r.stage, r.number, r.status, r.test_loss, r.test_acc,
       nullif(l.cause, 'unknown') AS cause, r.kind,
       r.remedy AS treated_with, r.parent_id, r.params,
       (SELECT count(*) FROM runs AS s
        WHERE (s.id = iif(r.kind = 'repeat', r.parent_id, r.id)
               OR s.parent_id = iif(r.kind = 'repeat', r.parent_id, r.id) AND s.kind = 'repeat')
          AND s.status = 'completed'
          AND s.metric_value < 9e999 AND s.metric_value > -9e999) AS repetitions
FROM (SELECT id, sweep_id,
             row_number() OVER (PARTITION BY sweep_id ORDER BY rank_key, number) AS rank
      FROM runs
      WHERE rank_key IS NOT NULL) AS k
CROSS JOIN runs AS r ON r.id = k.id
LEFT JOIN labels AS l ON l.run_id = r.id;

CREATE VIEW run_overview_exact AS
SELECT r.sweep_id, r.id AS run_id, r.number, r.kind, r.stage, r.status, r.params,
       r.metric_value, r.best_epoch, r.val_loss, r.val_acc,
       (SELECT c.epoch FROM curves AS c WHERE c.run_id = r.id ORDER BY c.point DESC LIMIT 1)
           AS epochs_done,
       r.epochs, l.pattern AS label, l.confidence, l.remedy, r.reason, r.stop_reason,
       r.error_class, r.error_text, r.signal, r.attempts, r.parent_id, r.handle,
       r.learning_rate, r.batch_size, r.optimizer, r.depth, r.width, r.activation,
       r.seconds, r.created_at, r.started_at, r.ended_at, r.test_loss, r.test_acc,
       nullif(l.cause, 'unknown') AS cause,
       r.remedy AS treated_with, r.guide_ref, r.treats_pattern, r.treats_cause, r.cured, r.change,
       r.joules, r.objectives
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id;

CREATE VIEW sweep_overview_exact AS
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

CREATE VIEW treatments_exact AS
SELECT r.sweep_id, r.id AS run_id, r.number, r.parent_id, r.treats_pattern AS pattern,
       r.treats_cause AS cause, r.remedy, r.guide_ref, r.status, l.pattern AS label,
       r.metric_value, r.cured, r.change
FROM runs AS r
LEFT JOIN labels AS l ON l.run_id = r.id
WHERE r.remedy IS NOT NULL;

-- How often was stopping wrong, and what did it save? Of the runs that a rule would have stopped, some
-- (early_terminate.audit) lived on: `wrong` of them ended among the best tenth of the sweep's ranked
-- runs, `best` as the best of all. Saved is what the stopped ones did not train; audit_epochs is what
-- the others cost.
CREATE VIEW stopping_audit AS
WITH cut AS (
    SELECT d.sweep_id, coalesce(d.detail ->> '$.rule', 'median') AS rule,
           d.kind = 'audited' AS lived, r.status = 'completed' AS ended, r.rank_key,
           CAST(d.detail ->> '$.epoch' AS REAL) AS epoch, r.epochs - (d.detail ->> '$.epoch') AS rest,
           r.seconds
    FROM decisions AS d
    JOIN runs AS r ON r.id = d.run_id
    WHERE d.kind IN ('stopped', 'audited') AND json_type(d.detail, '$.epoch') = 'integer'
), tenth AS (
    SELECT sweep_id, min(rank_key) AS first,
           max(rank_key) FILTER (WHERE place <= max(ranked / 10, 1)) AS last
    FROM (SELECT sweep_id, rank_key,
                 row_number() OVER (PARTITION BY sweep_id ORDER BY rank_key, number) AS place,
                 count(*) OVER (PARTITION BY sweep_id) AS ranked
          FROM runs
          WHERE rank_key IS NOT NULL AND sweep_id IN (SELECT sweep_id FROM cut))
    GROUP BY sweep_id
)
SELECT c.sweep_id, c.rule, sum(NOT c.lived) AS stopped, sum(c.lived) AS audited,
       sum(c.lived AND c.ended) AS audited_ended,
       count(*) FILTER (WHERE c.lived AND c.ended AND c.rank_key <= t.last) AS wrong,
       count(*) FILTER (WHERE c.lived AND c.ended AND c.rank_key = t.first) AS best,
       sum(iif(c.lived, 0, c.rest)) AS epochs_saved,
       total(iif(c.lived, 0, c.seconds / c.epoch * c.rest)) AS seconds_saved,
       sum(iif(c.lived, c.rest, 0)) AS audit_epochs
FROM cut AS c
LEFT JOIN tenth AS t ON t.sweep_id = c.sweep_id
GROUP BY c.sweep_id, c.rule;

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

-- For people and their tools: a number that is none (NaN, +Inf, -Inf: text and REAL in one column)
-- is NULL, and the column's _state says why: ok, nan, +inf, -inf, or missing (not measured). So
-- every column has one type, and max(), pandas and others compute. 9e999 is Inf.

CREATE VIEW best_runs AS
SELECT sweep_id, rank, run_id,
       CAST(iif(val_loss < 9e999 AND val_loss > -9e999, val_loss, NULL) AS REAL) AS val_loss,
       CAST(iif(val_acc < 9e999 AND val_acc > -9e999, val_acc, NULL) AS REAL) AS val_acc,
       best_epoch, learning_rate, batch_size, optimizer, depth, label, remedy, epochs, seconds,
       CAST(iif(metric_value < 9e999 AND metric_value > -9e999, metric_value, NULL) AS REAL)
           AS metric_value,
       stage, number, status,
       CAST(iif(test_loss < 9e999 AND test_loss > -9e999, test_loss, NULL) AS REAL)
           AS test_loss,
       CAST(iif(test_acc < 9e999 AND test_acc > -9e999, test_acc, NULL) AS REAL) AS test_acc,
       cause, kind, treated_with, parent_id, params, repetitions,
       CASE WHEN metric_value < 9e999 AND metric_value > -9e999 THEN 'ok'
            WHEN metric_value IS NULL THEN 'missing' WHEN metric_value = 'nan' THEN 'nan'
            ELSE iif(metric_value > 0, '+inf', '-inf') END AS metric_value_state,
       CASE WHEN val_loss < 9e999 AND val_loss > -9e999 THEN 'ok'
            WHEN val_loss IS NULL THEN 'missing' WHEN val_loss = 'nan' THEN 'nan'
            ELSE iif(val_loss > 0, '+inf', '-inf') END AS val_loss_state,
       CASE WHEN val_acc < 9e999 AND val_acc > -9e999 THEN 'ok'
            WHEN val_acc IS NULL THEN 'missing' WHEN val_acc = 'nan' THEN 'nan'
            ELSE iif(val_acc > 0, '+inf', '-inf') END AS val_acc_state,
       CASE WHEN test_loss < 9e999 AND test_loss > -9e999 THEN 'ok'
            WHEN test_loss IS NULL THEN 'missing' WHEN test_loss = 'nan' THEN 'nan'
            ELSE iif(test_loss > 0, '+inf', '-inf') END AS test_loss_state,
       CASE WHEN test_acc < 9e999 AND test_acc > -9e999 THEN 'ok'
            WHEN test_acc IS NULL THEN 'missing' WHEN test_acc = 'nan' THEN 'nan'
            ELSE iif(test_acc > 0, '+inf', '-inf') END AS test_acc_state
FROM best_runs_exact;

CREATE VIEW run_overview AS
SELECT sweep_id, run_id, number, kind, stage, status, params,
       CAST(iif(metric_value < 9e999 AND metric_value > -9e999, metric_value, NULL) AS REAL)
           AS metric_value,
       best_epoch,
       CAST(iif(val_loss < 9e999 AND val_loss > -9e999, val_loss, NULL) AS REAL) AS val_loss,
       CAST(iif(val_acc < 9e999 AND val_acc > -9e999, val_acc, NULL) AS REAL) AS val_acc,
       epochs_done, epochs, label, confidence, remedy, reason, stop_reason, error_class,
       error_text, signal, attempts, parent_id, handle, learning_rate, batch_size, optimizer,
       depth, width, activation, seconds, created_at, started_at, ended_at,
       CAST(iif(test_loss < 9e999 AND test_loss > -9e999, test_loss, NULL) AS REAL)
           AS test_loss,
       CAST(iif(test_acc < 9e999 AND test_acc > -9e999, test_acc, NULL) AS REAL) AS test_acc,
       cause, treated_with, guide_ref, treats_pattern, treats_cause, cured, change, joules,
       CASE WHEN metric_value < 9e999 AND metric_value > -9e999 THEN 'ok'
            WHEN metric_value IS NULL THEN 'missing' WHEN metric_value = 'nan' THEN 'nan'
            ELSE iif(metric_value > 0, '+inf', '-inf') END AS metric_value_state,
       CASE WHEN val_loss < 9e999 AND val_loss > -9e999 THEN 'ok'
            WHEN val_loss IS NULL THEN 'missing' WHEN val_loss = 'nan' THEN 'nan'
            ELSE iif(val_loss > 0, '+inf', '-inf') END AS val_loss_state,
       CASE WHEN val_acc < 9e999 AND val_acc > -9e999 THEN 'ok'
            WHEN val_acc IS NULL THEN 'missing' WHEN val_acc = 'nan' THEN 'nan'
            ELSE iif(val_acc > 0, '+inf', '-inf') END AS val_acc_state,
       CASE WHEN test_loss < 9e999 AND test_loss > -9e999 THEN 'ok'
            WHEN test_loss IS NULL THEN 'missing' WHEN test_loss = 'nan' THEN 'nan'
            ELSE iif(test_loss > 0, '+inf', '-inf') END AS test_loss_state,
       CASE WHEN test_acc < 9e999 AND test_acc > -9e999 THEN 'ok'
            WHEN test_acc IS NULL THEN 'missing' WHEN test_acc = 'nan' THEN 'nan'
            ELSE iif(test_acc > 0, '+inf', '-inf') END AS test_acc_state
FROM run_overview_exact;

CREATE VIEW sweep_overview AS
SELECT id, name, status, reason, method, metric, goal, run_cap, epochs, priority, after_sweep,
       runs, done, running, failed,
       CAST(iif(best < 9e999 AND best > -9e999, best, NULL) AS REAL) AS best,
       best_run, created_at, started_at, ended_at,
       CASE WHEN best < 9e999 AND best > -9e999 THEN 'ok'
            WHEN best IS NULL THEN 'missing' WHEN best = 'nan' THEN 'nan'
            ELSE iif(best > 0, '+inf', '-inf') END AS best_state
FROM sweep_overview_exact;

CREATE VIEW treatments AS
SELECT sweep_id, run_id, number, parent_id, pattern, cause, remedy, guide_ref, status, label,
       CAST(iif(metric_value < 9e999 AND metric_value > -9e999, metric_value, NULL) AS REAL)
           AS metric_value,
       cured, change,
       CASE WHEN metric_value < 9e999 AND metric_value > -9e999 THEN 'ok'
            WHEN metric_value IS NULL THEN 'missing' WHEN metric_value = 'nan' THEN 'nan'
            ELSE iif(metric_value > 0, '+inf', '-inf') END AS metric_value_state
FROM treatments_exact;

CREATE VIEW curve_points AS
SELECT run_id, point, epoch,
       CAST(iif(train_loss < 9e999 AND train_loss > -9e999, train_loss, NULL) AS REAL)
           AS train_loss,
       CAST(iif(val_loss < 9e999 AND val_loss > -9e999, val_loss, NULL) AS REAL) AS val_loss,
       CAST(iif(train_acc < 9e999 AND train_acc > -9e999, train_acc, NULL) AS REAL)
           AS train_acc,
       CAST(iif(val_acc < 9e999 AND val_acc > -9e999, val_acc, NULL) AS REAL) AS val_acc,
       CAST(iif(train_loss_min < 9e999 AND train_loss_min > -9e999, train_loss_min, NULL) AS REAL)
           AS train_loss_min,
       CAST(iif(train_loss_max < 9e999 AND train_loss_max > -9e999, train_loss_max, NULL) AS REAL)
           AS train_loss_max,
       CAST(iif(train_loss_sd < 9e999 AND train_loss_sd > -9e999, train_loss_sd, NULL) AS REAL)
           AS train_loss_sd,
       CAST(iif(learning_rate < 9e999 AND learning_rate > -9e999, learning_rate, NULL) AS REAL)
           AS learning_rate,
       CAST(iif(grad_norm < 9e999 AND grad_norm > -9e999, grad_norm, NULL) AS REAL)
           AS grad_norm,
       CAST(iif(penalty < 9e999 AND penalty > -9e999, penalty, NULL) AS REAL) AS penalty,
       CAST(iif(train_loss_eval < 9e999 AND train_loss_eval > -9e999, train_loss_eval, NULL)
            AS REAL)
           AS train_loss_eval,
       CAST(iif(val_f1 < 9e999 AND val_f1 > -9e999, val_f1, NULL) AS REAL) AS val_f1,
       CAST(iif(val_r2 < 9e999 AND val_r2 > -9e999, val_r2, NULL) AS REAL) AS val_r2,
       CAST(iif(seconds < 9e999 AND seconds > -9e999, seconds, NULL) AS REAL) AS seconds,
       CASE WHEN train_loss < 9e999 AND train_loss > -9e999 THEN 'ok'
            WHEN train_loss IS NULL THEN 'missing' WHEN train_loss = 'nan' THEN 'nan'
            ELSE iif(train_loss > 0, '+inf', '-inf') END AS train_loss_state,
       CASE WHEN val_loss < 9e999 AND val_loss > -9e999 THEN 'ok'
            WHEN val_loss IS NULL THEN 'missing' WHEN val_loss = 'nan' THEN 'nan'
            ELSE iif(val_loss > 0, '+inf', '-inf') END AS val_loss_state,
       CASE WHEN train_acc < 9e999 AND train_acc > -9e999 THEN 'ok'
            WHEN train_acc IS NULL THEN 'missing' WHEN train_acc = 'nan' THEN 'nan'
            ELSE iif(train_acc > 0, '+inf', '-inf') END AS train_acc_state,
       CASE WHEN val_acc < 9e999 AND val_acc > -9e999 THEN 'ok'
            WHEN val_acc IS NULL THEN 'missing' WHEN val_acc = 'nan' THEN 'nan'
            ELSE iif(val_acc > 0, '+inf', '-inf') END AS val_acc_state,
       CASE WHEN train_loss_min < 9e999 AND train_loss_min > -9e999 THEN 'ok'
            WHEN train_loss_min IS NULL THEN 'missing' WHEN train_loss_min = 'nan' THEN 'nan'
            ELSE iif(train_loss_min > 0, '+inf', '-inf') END AS train_loss_min_state,
       CASE WHEN train_loss_max < 9e999 AND train_loss_max > -9e999 THEN 'ok'
            WHEN train_loss_max IS NULL THEN 'missing' WHEN train_loss_max = 'nan' THEN 'nan'
            ELSE iif(train_loss_max > 0, '+inf', '-inf') END AS train_loss_max_state,
       CASE WHEN train_loss_sd < 9e999 AND train_loss_sd > -9e999 THEN 'ok'
            WHEN train_loss_sd IS NULL THEN 'missing' WHEN train_loss_sd = 'nan' THEN 'nan'
            ELSE iif(train_loss_sd > 0, '+inf', '-inf') END AS train_loss_sd_state,
       CASE WHEN learning_rate < 9e999 AND learning_rate > -9e999 THEN 'ok'
            WHEN learning_rate IS NULL THEN 'missing' WHEN learning_rate = 'nan' THEN 'nan'
            ELSE iif(learning_rate > 0, '+inf', '-inf') END AS learning_rate_state,
       CASE WHEN grad_norm < 9e999 AND grad_norm > -9e999 THEN 'ok'
            WHEN grad_norm IS NULL THEN 'missing' WHEN grad_norm = 'nan' THEN 'nan'
            ELSE iif(grad_norm > 0, '+inf', '-inf') END AS grad_norm_state,
       CASE WHEN penalty < 9e999 AND penalty > -9e999 THEN 'ok'
            WHEN penalty IS NULL THEN 'missing' WHEN penalty = 'nan' THEN 'nan'
            ELSE iif(penalty > 0, '+inf', '-inf') END AS penalty_state,
       CASE WHEN train_loss_eval < 9e999 AND train_loss_eval > -9e999 THEN 'ok'
            WHEN train_loss_eval IS NULL THEN 'missing' WHEN train_loss_eval = 'nan' THEN 'nan'
            ELSE iif(train_loss_eval > 0, '+inf', '-inf') END AS train_loss_eval_state,
       CASE WHEN val_f1 < 9e999 AND val_f1 > -9e999 THEN 'ok'
            WHEN val_f1 IS NULL THEN 'missing' WHEN val_f1 = 'nan' THEN 'nan'
            ELSE iif(val_f1 > 0, '+inf', '-inf') END AS val_f1_state,
       CASE WHEN val_r2 < 9e999 AND val_r2 > -9e999 THEN 'ok'
            WHEN val_r2 IS NULL THEN 'missing' WHEN val_r2 = 'nan' THEN 'nan'
            ELSE iif(val_r2 > 0, '+inf', '-inf') END AS val_r2_state,
       CASE WHEN seconds < 9e999 AND seconds > -9e999 THEN 'ok'
            WHEN seconds IS NULL THEN 'missing' WHEN seconds = 'nan' THEN 'nan'
            ELSE iif(seconds > 0, '+inf', '-inf') END AS seconds_state
FROM curves;

-- The configurations of a sweep, best first: by the mean over their seeds where a run of them went
-- to its end. A repeat's configuration is its parent's. Those with two seeds or more come first,
-- those of which a run failed last; means that differ by rounding alone are the same. sd is that of
-- a sample, its root found by Newton's steps from the values' range (not every SQLite has sqrt).
CREATE VIEW best_configurations AS
WITH seeds AS (
    SELECT sweep_id, iif(kind = 'repeat', parent_id, id) AS root, id, number, status,
           status = 'completed' AND metric_value < 9e999 AND metric_value > -9e999 AS counts,
           metric_value
    FROM runs
    WHERE status IN ('completed', 'failed')),
means AS (
    SELECT sweep_id, root, count(*) FILTER (WHERE counts) AS repetitions,
           count(*) FILTER (WHERE NOT counts) AS failed,
           avg(metric_value) FILTER (WHERE counts) AS mean,
           max(metric_value) FILTER (WHERE counts) - min(metric_value) FILTER (WHERE counts)
               AS spread,
           json_group_array(id) AS runs
    FROM seeds
    GROUP BY sweep_id, root),
deviations AS (
    SELECT m.*, iif(repetitions < 2, NULL, (
                SELECT sum((s.metric_value - m.mean) * (s.metric_value - m.mean))
                        / (m.repetitions - 1)
                 FROM runs AS s
                 WHERE (s.id = m.root OR s.parent_id = m.root AND s.kind = 'repeat')
                   AND s.status = 'completed'
                   AND s.metric_value < 9e999 AND s.metric_value > -9e999)) AS variance
    FROM means AS m
    WHERE repetitions > 0)
SELECT d.sweep_id,
       row_number() OVER (PARTITION BY d.sweep_id
                          ORDER BY CASE WHEN d.failed > 0 THEN 2 ELSE d.repetitions < 2 END,
                                   CAST(printf('%.12e', d.mean) AS REAL)
                                   * iif(w.goal = 'maximize', -1, 1), r.number) AS rank,
       CAST(d.mean AS REAL) AS mean,
       CASE WHEN d.repetitions < 2 THEN NULL
            WHEN NOT d.variance > 0 THEN 0.0
            ELSE (WITH RECURSIVE newton(x, n) AS (
                      SELECT d.spread, 0
                      UNION ALL
                      SELECT (x + d.variance / x) / 2, n + 1 FROM newton WHERE n < 24)
                  SELECT x FROM newton WHERE n = 24) END AS sd,
       d.repetitions, d.failed,
       (SELECT s.id FROM runs AS s
        WHERE (s.id = d.root OR s.parent_id = d.root AND s.kind = 'repeat')
          AND s.status = 'completed' AND s.rank_key IS NOT NULL
        ORDER BY s.rank_key, s.number LIMIT 1) AS run_id,
       d.runs, r.number, r.kind, r.stage, r.learning_rate, r.batch_size, r.optimizer, r.depth,
       r.params
FROM deviations AS d
JOIN runs AS r ON r.id = d.root
JOIN sweeps AS w ON w.id = d.sweep_id;

-- How much each parameter decided, the most important first, as of when the sweep completed: for
-- being among the best tenth (PED-ANOVA). importance: shares of 1.
CREATE VIEW importances AS
SELECT s.id AS sweep_id, i.key + 1 AS rank, i.value ->> '$.parameter' AS parameter,
       CAST(i.value ->> '$.importance' AS REAL) AS importance,
       CAST(i.value ->> '$.raw' AS REAL) AS raw
FROM sweeps AS s, json_each(s.importances) AS i;

-- What a run came to in each of several objectives: one row a run and objective, the metric first.
-- cost: small is good, and what is not known is worst.
CREATE VIEW run_objectives AS
SELECT r.sweep_id, r.id AS run_id, r.number, o.key + 1 AS objective, o.value ->> '$.name' AS name,
       o.value ->> '$.goal' AS goal,
       CAST(iif(json_type(r.objectives, '$[' || o.key || ']') IN ('real', 'integer'),
                r.objectives ->> o.key, NULL) AS REAL) AS value,
       CASE json_type(r.objectives, '$[' || o.key || ']')
            WHEN 'real' THEN 'ok' WHEN 'integer' THEN 'ok' WHEN 'text' THEN r.objectives ->> o.key
            ELSE 'missing' END AS value_state,
       CASE WHEN coalesce(json_type(r.objectives, '$[' || o.key || ']'), '')
                 NOT IN ('real', 'integer') THEN 9e999
            WHEN o.value ->> '$.goal' = 'maximize' THEN -(r.objectives ->> o.key)
            ELSE r.objectives ->> o.key END AS cost
FROM runs AS r
CROSS JOIN sweeps AS s ON s.id = r.sweep_id
CROSS JOIN json_each(iif(json_valid(s.spec), s.spec, '{}'), '$.objectives') AS o
WHERE r.objectives IS NOT NULL;

-- The configurations of a sweep with several objectives of which a run went to its end, by the means
-- over their seeds, as in best_configurations. c1 … c8: costs, 0 of an objective that there is not.
-- One GROUP BY alone: so a WHERE on the sweep reaches its runs.
CREATE VIEW objective_configurations AS
SELECT r.sweep_id, iif(r.kind = 'repeat', r.parent_id, r.id) AS root,
       count(*) FILTER (WHERE o.objective = 1) AS repetitions,
       (SELECT count(*) FROM runs AS f
        WHERE (f.id = iif(r.kind = 'repeat', r.parent_id, r.id)
               OR f.parent_id = iif(r.kind = 'repeat', r.parent_id, r.id) AND f.kind = 'repeat')
          AND (f.status = 'failed' OR f.status = 'completed' AND f.rank_key = 9e999)) AS failed,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 1), 0) AS c1,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 2), 0) AS c2,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 3), 0) AS c3,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 4), 0) AS c4,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 5), 0) AS c5,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 6), 0) AS c6,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 7), 0) AS c7,
       coalesce(avg(o.cost) FILTER (WHERE o.objective = 8), 0) AS c8
FROM runs AS r
JOIN run_objectives AS o ON o.run_id = r.id
WHERE r.objectives IS NOT NULL AND r.status = 'completed' AND r.rank_key < 9e999
GROUP BY r.sweep_id, iif(r.kind = 'repeat', r.parent_id, r.id);

-- Those that no other one betters in all of them, the best by the metric first. One seed is often
-- luck: such a mean betters none of two seeds or more; one of which a run failed betters only its
-- like.
CREATE VIEW pareto_front AS
SELECT a.sweep_id,
       row_number() OVER (PARTITION BY a.sweep_id
                          ORDER BY CASE WHEN a.failed > 0 THEN 2 ELSE a.repetitions < 2 END, a.c1,
                                   r.number) AS rank,
       (SELECT k.id FROM runs AS k
        WHERE (k.id = a.root OR k.parent_id = a.root AND k.kind = 'repeat')
          AND k.status = 'completed' AND k.rank_key IS NOT NULL
        ORDER BY k.rank_key, k.number LIMIT 1) AS run_id,
       r.number, a.repetitions, a.failed,
       (SELECT json_group_object(
                   o.value ->> '$.name',
                   (SELECT iif(abs(c.value) < 9e999,
                               iif(o.value ->> '$.goal' = 'maximize', -c.value, c.value), NULL)
                    FROM (SELECT CASE o.key WHEN 0 THEN a.c1 WHEN 1 THEN a.c2 WHEN 2 THEN a.c3
                                            WHEN 3 THEN a.c4 WHEN 4 THEN a.c5 WHEN 5 THEN a.c6
                                            WHEN 6 THEN a.c7 ELSE a.c8 END AS value) AS c))
        FROM json_each(s.spec, '$.objectives') AS o) AS objectives,
       r.kind, r.stage, r.params
FROM objective_configurations AS a
JOIN runs AS r ON r.id = a.root
JOIN sweeps AS s ON s.id = a.sweep_id
WHERE NOT EXISTS (
    SELECT 1 FROM objective_configurations AS b
    WHERE b.sweep_id = a.sweep_id
      AND CASE WHEN b.failed > 0 THEN 2 ELSE b.repetitions < 2 END
          <= CASE WHEN a.failed > 0 THEN 2 ELSE a.repetitions < 2 END
      AND b.c1 <= a.c1 AND b.c2 <= a.c2 AND b.c3 <= a.c3 AND b.c4 <= a.c4
      AND b.c5 <= a.c5 AND b.c6 <= a.c6 AND b.c7 <= a.c7 AND b.c8 <= a.c8
      AND (b.c1 < a.c1 OR b.c2 < a.c2 OR b.c3 < a.c3 OR b.c4 < a.c4
           OR b.c5 < a.c5 OR b.c6 < a.c6 OR b.c7 < a.c7 OR b.c8 < a.c8));

CREATE VIEW metric_points AS
SELECT run_id, name, point,
       CAST(iif(value < 9e999 AND value > -9e999, value, NULL) AS REAL) AS value,
       CASE WHEN value < 9e999 AND value > -9e999 THEN 'ok'
            WHEN value IS NULL THEN 'missing' WHEN value = 'nan' THEN 'nan'
            ELSE iif(value > 0, '+inf', '-inf') END AS value_state
FROM metrics;

-- All that must be equal between two executions of the same sweep; nothing of ids, times, handles
-- or attempts, nor of where its runs were carried out ("on"). Compare it with `sqlite3 -quote`,
-- which prints every bit of a REAL.
CREATE VIEW canonical_content AS
SELECT s.name AS sweep,
       CASE WHEN json_type(s.spec, '$.on') IS NULL THEN s.spec
            ELSE json_remove(s.spec, '$.on') END AS spec,
       r.number, r.kind, r.stage, r.params, r.status,
       l.pattern AS label, l.cause, r.remedy, r.cured,
       iif(r.objectives IS NULL, NULL,
           json_set(r.objectives, coalesce((SELECT '$[' || o.key || ']'
                                            FROM json_each(s.spec, '$.objectives') AS o
                                            WHERE o.value ->> '$.name' = 'seconds'), '$[9]'), NULL,
                    coalesce((SELECT '$[' || o.key || ']'
                              FROM json_each(s.spec, '$.objectives') AS o
                              WHERE o.value ->> '$.name' = 'joules'), '$[9]'), NULL))
           AS objectives,
       (SELECT parent.number FROM runs AS parent WHERE parent.id = r.parent_id) AS parent,
       c.point, c.epoch, c.train_loss, c.val_loss, c.train_acc, c.val_acc,
       c.train_loss_min, c.train_loss_max, c.train_loss_sd, c.learning_rate, c.grad_norm,
       c.penalty, c.train_loss_eval, c.val_f1, c.val_r2
FROM runs AS r
JOIN sweeps AS s ON s.id = r.sweep_id
LEFT JOIN labels AS l ON l.run_id = r.id
LEFT JOIN curves AS c ON c.run_id = r.id
ORDER BY s.name, s.spec, s.id, r.number, c.point;
