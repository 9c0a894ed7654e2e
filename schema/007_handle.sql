-- A worker is known by its launcher's handle; on this machine that is the process id as text.

DROP VIEW run_overview;

ALTER TABLE runs ADD COLUMN handle TEXT;
UPDATE runs SET handle = CAST(pid AS TEXT) WHERE pid IS NOT NULL;
ALTER TABLE runs DROP COLUMN pid;

-- As in 005_treatments.sql, with handle instead of pid.
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
