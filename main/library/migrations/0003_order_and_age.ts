/**
 * Places in the queue as whole numbers, which never run out between two neighbours, with an index for each way in which jobs are looked
 * up. And the library's own age in days (main/library/age.ts), by which old jobs and the trash are known to be old.
 */
export const orderAndAge = `
CREATE TABLE jobs_in_order (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  state TEXT NOT NULL,
  input TEXT NOT NULL,
  output TEXT,
  progress TEXT,
  checkpoint TEXT,
  error TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  position INTEGER NOT NULL,
  target TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  finished_age REAL NOT NULL DEFAULT 0
) STRICT;
INSERT INTO jobs_in_order
SELECT id, kind, title, state, input, output, progress, checkpoint, error, attempts,
  row_number() OVER (ORDER BY position, created_at, rowid), target, created_at, started_at, finished_at, 0
FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_in_order RENAME TO jobs;
CREATE INDEX jobs_by_position ON jobs (position);
CREATE INDEX jobs_by_state ON jobs (state, position);
CREATE INDEX jobs_by_target ON jobs (target);

CREATE TABLE age (days REAL NOT NULL, seen_at TEXT NOT NULL) STRICT;
INSERT INTO age VALUES (0, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
ALTER TABLE trash ADD COLUMN deleted_age REAL NOT NULL DEFAULT 0;
`;
