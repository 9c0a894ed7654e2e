-- How much each parameter decided, when the sweep completed: [{"parameter": …, "importance": …}, …].
ALTER TABLE sweeps ADD COLUMN importances TEXT
    CHECK (importances IS NULL OR json_valid(importances));
