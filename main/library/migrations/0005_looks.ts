/**
 * Edits by words alone: a concept is no longer needed for one, and the clip as it comes out of the autoencoder lies beside its frames. What
 * is seen in a clip, in words. Looks of one's own. The view is made anew, for it names a table that is rebuilt.
 */
export const looks = `
DROP VIEW searchable;
CREATE TABLE edits_by_words (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  concept_id TEXT,
  concept_version INTEGER,
  source_clip_id TEXT REFERENCES clips (id),
  parent_id TEXT REFERENCES edits (id) ON DELETE SET NULL,
  settings TEXT NOT NULL,
  recipe_key TEXT NOT NULL,
  frames TEXT NOT NULL,
  starred INTEGER NOT NULL DEFAULT 0,
  notes TEXT NOT NULL DEFAULT '',
  seconds REAL,
  created_at TEXT NOT NULL,
  trash_id TEXT REFERENCES trash (id),
  base TEXT,
  model TEXT,
  FOREIGN KEY (concept_id, concept_version) REFERENCES concept_versions (concept_id, version)
) STRICT;
INSERT INTO edits_by_words SELECT id, name, concept_id, concept_version, source_clip_id, parent_id, settings, recipe_key, frames, starred,
  notes, seconds, created_at, trash_id, NULL, NULL FROM edits;
DROP TABLE edits;
ALTER TABLE edits_by_words RENAME TO edits;
CREATE INDEX edits_by_concept ON edits (concept_id, concept_version);
CREATE INDEX edits_by_source ON edits (source_clip_id);
CREATE INDEX edits_by_parent ON edits (parent_id);
CREATE INDEX edits_by_recipe ON edits (recipe_key);
CREATE INDEX edits_by_trash ON edits (trash_id);

ALTER TABLE clips ADD COLUMN seen TEXT NOT NULL DEFAULT '';

CREATE TABLE looks (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  from_words TEXT NOT NULL,
  to_words TEXT NOT NULL,
  strength REAL NOT NULL,
  keep_detail REAL NOT NULL,
  position INTEGER NOT NULL
) STRICT;

CREATE VIEW searchable (kind, id, name, words, tags) AS
SELECT 'clip', id, name,
  concat_ws(' ', json_extract(source, '$.name'), seen, notes),
  (SELECT group_concat(tag, ' ') FROM tags WHERE kind = 'clip' AND item_id = clips.id)
FROM clips WHERE trash_id IS NULL
UNION ALL
SELECT 'concept', id, name,
  concat_ws(' ', (
    SELECT group_concat(json_extract(caption.value, '$.static') || ' ' || json_extract(caption.value, '$.dynamic'), ' ')
    FROM concept_versions, json_each(concept_versions.captions) AS caption WHERE concept_id = concepts.id
  ), notes),
  (SELECT group_concat(tag, ' ') FROM tags WHERE kind = 'concept' AND item_id = concepts.id)
FROM concepts WHERE trash_id IS NULL
UNION ALL
SELECT 'edit', id, name,
  concat_ws(' ', json_extract(settings, '$.prompt'), notes),
  (SELECT group_concat(tag, ' ') FROM tags WHERE kind = 'edit' AND item_id = edits.id)
FROM edits WHERE trash_id IS NULL;
`;
