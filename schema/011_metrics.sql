-- What a program reported at a point under a name of its own, beside the known columns of curves.
-- By name first: a series lies together.

CREATE TABLE metrics (
    run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    point  INTEGER NOT NULL CHECK (point >= 1),
    name   TEXT NOT NULL,
    value  ANY NOT NULL CHECK (typeof(value) = 'real' OR value IS 'nan'),
    PRIMARY KEY (run_id, name, point)
) STRICT, WITHOUT ROWID;
