-- The diagnosis: what the layers of a run showed at its points, beside its curves.

CREATE TABLE layer_stats (
    run_id       INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    point        INTEGER NOT NULL CHECK (point >= 1),
    layer        INTEGER NOT NULL CHECK (layer >= 1),
    name         TEXT NOT NULL,
    grad_norm    ANY CHECK (typeof(grad_norm) IN ('real', 'null') OR grad_norm IS 'nan'),
    weight_norm  ANY CHECK (typeof(weight_norm) IN ('real', 'null') OR weight_norm IS 'nan'),
    update_ratio ANY CHECK (typeof(update_ratio) IN ('real', 'null') OR update_ratio IS 'nan'),
    dead         ANY CHECK (typeof(dead) IN ('real', 'null') OR dead IS 'nan'),
    saturated    ANY CHECK (typeof(saturated) IN ('real', 'null') OR saturated IS 'nan'),
    PRIMARY KEY (run_id, point, layer)
) STRICT, WITHOUT ROWID;
