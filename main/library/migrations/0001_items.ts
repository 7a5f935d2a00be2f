/**
 * Clips, concepts with their versions, edits, jobs, settings. Columns are what is searched, sorted or joined; the rest of a domain
 * object is JSON that its zod schema parses. Paths are relative to the library's folder, with forward slashes. Times are ISO 8601 UTC.
 */
export const items = `
CREATE TABLE clips (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  source TEXT NOT NULL,
  from_seconds REAL NOT NULL,
  to_seconds REAL NOT NULL,
  crop TEXT,
  fit TEXT NOT NULL,
  frames TEXT NOT NULL,
  warnings TEXT NOT NULL,
  notes TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX clips_by_content ON clips (sha256);

CREATE TABLE concepts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  notes TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE concept_versions (
  concept_id TEXT NOT NULL REFERENCES concepts (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  model TEXT NOT NULL,
  rank INTEGER NOT NULL,
  recipe TEXT NOT NULL,
  captions TEXT NOT NULL,
  direction_strengths TEXT NOT NULL,
  direction_names TEXT NOT NULL DEFAULT '{}',
  metrics TEXT NOT NULL,
  file TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (concept_id, version)
) STRICT;

CREATE TABLE concept_clips (
  concept_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  position INTEGER NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips (id),
  PRIMARY KEY (concept_id, version, position),
  FOREIGN KEY (concept_id, version) REFERENCES concept_versions (concept_id, version) ON DELETE CASCADE
) STRICT;
CREATE INDEX concept_clips_by_clip ON concept_clips (clip_id);

CREATE TABLE edits (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  concept_id TEXT NOT NULL,
  concept_version INTEGER NOT NULL,
  source_clip_id TEXT REFERENCES clips (id),
  parent_id TEXT REFERENCES edits (id) ON DELETE SET NULL,
  settings TEXT NOT NULL,
  recipe_key TEXT NOT NULL,
  frames TEXT NOT NULL,
  starred INTEGER NOT NULL DEFAULT 0,
  notes TEXT NOT NULL DEFAULT '',
  seconds REAL,
  created_at TEXT NOT NULL,
  FOREIGN KEY (concept_id, concept_version) REFERENCES concept_versions (concept_id, version)
) STRICT;
CREATE INDEX edits_by_concept ON edits (concept_id, concept_version);
CREATE INDEX edits_by_source ON edits (source_clip_id);
CREATE INDEX edits_by_parent ON edits (parent_id);
CREATE INDEX edits_by_recipe ON edits (recipe_key);

CREATE TABLE tags (
  kind TEXT NOT NULL,
  item_id TEXT NOT NULL,
  tag TEXT NOT NULL COLLATE NOCASE,
  PRIMARY KEY (kind, item_id, tag)
) STRICT;
CREATE INDEX tags_by_tag ON tags (tag);

CREATE TABLE jobs (
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
  position REAL NOT NULL,
  target TEXT,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, position);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
`;
