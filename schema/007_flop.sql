-- Floating-point operations to train a run's network on one sample, as its worker counted them: what
-- the time of later sweeps is estimated by. NULL: not said.
ALTER TABLE runs ADD COLUMN flop INTEGER CHECK (flop > 0);
