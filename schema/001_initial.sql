-- Tables of sweepd. README.md beside this file says who writes what and what always holds.
--
-- A number that may be "not a number" stands in a column of type ANY: SQLite turns a bound NaN
-- into NULL, and NULL is "not measured". So NaN is the text 'nan'; +Inf and -Inf are REAL.
-- Times are UTC text, 'YYYY-MM-DD HH:MM:SS.mmm'. Seeds are decimal text (up to 2^64 - 1).

CREATE TABLE sweeps (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    status        TEXT NOT NULL
                  CHECK (status IN ('queued', 'running', 'paused', 'held', 'completed',
                         'cancelled')),
    reason        TEXT,
    method        TEXT NOT NULL,
    metric        TEXT NOT NULL,
    goal          TEXT NOT NULL CHECK (goal IN ('minimize', 'maximize')),
    spec          TEXT NOT NULL CHECK (json_valid(spec)),
    seed          TEXT NOT NULL CHECK (seed <> '' AND seed NOT GLOB '*[^0-9]*'),
    run_cap       INTEGER NOT NULL,
    epochs        INTEGER NOT NULL,
    priority      INTEGER NOT NULL,
    after_sweep   INTEGER,
    data_hash     TEXT,
    data_samples  INTEGER,
    data_features INTEGER,
    data_classes  INTEGER,
    created_at    TEXT NOT NULL,
    started_at    TEXT,
    ended_at      TEXT
) STRICT;

CREATE TABLE runs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    sweep_id      INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    number        INTEGER NOT NULL CHECK (number >= 0),
    kind          TEXT NOT NULL CHECK (kind IN ('search', 'repeat', 'treatment', 'audit')),
    stage         TEXT NOT NULL,
    reason        TEXT,
    status        TEXT NOT NULL
                  CHECK (status IN ('queued', 'running', 'paused', 'completed', 'stopped',
                         'failed', 'cancelled')),
    stop_reason   TEXT,
    parent_id     INTEGER REFERENCES runs(id) ON DELETE SET NULL,
    params        TEXT NOT NULL CHECK (json_valid(params)),
    learning_rate REAL,
    batch_size    INTEGER,
    optimizer     TEXT,
    depth         INTEGER,
    width         INTEGER,
    activation    TEXT,
    settings      TEXT NOT NULL CHECK (json_valid(settings)),
    seed          TEXT NOT NULL CHECK (seed <> '' AND seed NOT GLOB '*[^0-9]*'),
    epochs        INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    pid           INTEGER,
    metric_value  ANY CHECK (typeof(metric_value) IN ('real', 'null') OR metric_value IS 'nan'),
    best_epoch    REAL,
    val_loss      ANY CHECK (typeof(val_loss) IN ('real', 'null') OR val_loss IS 'nan'),
    val_acc       ANY CHECK (typeof(val_acc) IN ('real', 'null') OR val_acc IS 'nan'),
    error_class   TEXT
                  CHECK (error_class IN ('config_error', 'data_error', 'crashed', 'exited',
                         'killed', 'out_of_memory', 'spawn_error', 'io_error',
                         'protocol_error', 'killed_by_user')),
    error_text    TEXT,
    signal        INTEGER,
    stderr_tail   TEXT,
    core_type     TEXT,
    blas_version  TEXT,
    created_at    TEXT NOT NULL,
    started_at    TEXT,
    ended_at      TEXT,
    seconds       REAL,
    rank_key      REAL,
    UNIQUE (sweep_id, number)
) STRICT;

CREATE INDEX runs_rank ON runs(sweep_id, rank_key, number) WHERE rank_key IS NOT NULL;
CREATE INDEX runs_status ON runs(sweep_id, status);
-- For the foreign key: deleting a run looks for its children.
CREATE INDEX runs_parent ON runs(parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE curves (
    run_id          INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    point           INTEGER NOT NULL CHECK (point >= 1),
    epoch           REAL NOT NULL,
    train_loss      ANY CHECK (typeof(train_loss) IN ('real', 'null') OR train_loss IS 'nan'),
    val_loss        ANY CHECK (typeof(val_loss) IN ('real', 'null') OR val_loss IS 'nan'),
    train_acc       ANY CHECK (typeof(train_acc) IN ('real', 'null') OR train_acc IS 'nan'),
    val_acc         ANY CHECK (typeof(val_acc) IN ('real', 'null') OR val_acc IS 'nan'),
    train_loss_min  ANY
                    CHECK (typeof(train_loss_min) IN ('real', 'null') OR train_loss_min IS 'nan'),
    train_loss_max  ANY
                    CHECK (typeof(train_loss_max) IN ('real', 'null') OR train_loss_max IS 'nan'),
    train_loss_sd   ANY CHECK (typeof(train_loss_sd) IN ('real', 'null') OR train_loss_sd IS 'nan'),
    learning_rate   ANY CHECK (typeof(learning_rate) IN ('real', 'null') OR learning_rate IS 'nan'),
    grad_norm       ANY CHECK (typeof(grad_norm) IN ('real', 'null') OR grad_norm IS 'nan'),
    penalty         ANY CHECK (typeof(penalty) IN ('real', 'null') OR penalty IS 'nan'),
    train_loss_eval ANY
                    CHECK (typeof(train_loss_eval) IN ('real', 'null') OR train_loss_eval IS 'nan'),
    seconds         ANY CHECK (typeof(seconds) IN ('real', 'null') OR seconds IS 'nan'),
    PRIMARY KEY (run_id, point)
) STRICT, WITHOUT ROWID;

-- remedy: the first of the guide's remedies, else the first of ours.
CREATE TABLE patterns (
    name           TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    guide_ref      TEXT,
    look           TEXT NOT NULL,
    says           TEXT NOT NULL,
    guide_remedies TEXT,
    our_remedies   TEXT,
    remedy         TEXT GENERATED ALWAYS AS (
                       substr(COALESCE(guide_remedies, our_remedies), 1,
                              instr(COALESCE(guide_remedies, our_remedies) || ';', ';') - 1))
                   STORED
) STRICT, WITHOUT ROWID;

CREATE TABLE labels (
    run_id             INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
    pattern            TEXT NOT NULL REFERENCES patterns(name),
    runner_up          TEXT REFERENCES patterns(name),
    confidence         REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    tags               TEXT NOT NULL,
    evidence           TEXT NOT NULL CHECK (json_valid(evidence)),
    classifier_version INTEGER NOT NULL,
    created_at         TEXT NOT NULL
) STRICT;

CREATE TABLE findings (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    sweep_id INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    "row"    INTEGER,
    "column" INTEGER,
    count    INTEGER NOT NULL,
    text     TEXT NOT NULL
) STRICT;

CREATE INDEX findings_sweep ON findings(sweep_id);

-- A log, so without foreign keys: it may speak of what no longer exists.
CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    sweep_id   INTEGER,
    run_id     INTEGER,
    kind       TEXT NOT NULL,
    detail     TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX events_sweep ON events(sweep_id, id);
