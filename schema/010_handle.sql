-- A worker is known by its launcher's handle; on this machine that is the process id as text.
ALTER TABLE runs ADD COLUMN handle TEXT;
UPDATE runs SET handle = CAST(pid AS TEXT) WHERE pid IS NOT NULL;
ALTER TABLE runs DROP COLUMN pid;
