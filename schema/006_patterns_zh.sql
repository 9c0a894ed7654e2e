-- The loss patterns in the guide's own language, beside the English.

ALTER TABLE patterns ADD COLUMN look_zh TEXT;
ALTER TABLE patterns ADD COLUMN says_zh TEXT;
ALTER TABLE patterns ADD COLUMN guide_remedies_zh TEXT;
ALTER TABLE patterns ADD COLUMN our_remedies_zh TEXT;
