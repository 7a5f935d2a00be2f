/**
 * The trash (rows stay, marked with the act that deleted them) and the full-text index over names, captions, prompts, tags and
 * notes. `searchable` says what is indexed of each live item, so that indexing anew is one INSERT from it.
 */
export const searchAndTrash = `
CREATE TABLE trash (
  id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  deleted_at TEXT NOT NULL
) STRICT;
ALTER TABLE clips ADD COLUMN trash_id TEXT REFERENCES trash (id);
ALTER TABLE concepts ADD COLUMN trash_id TEXT REFERENCES trash (id);
ALTER TABLE edits ADD COLUMN trash_id TEXT REFERENCES trash (id);
CREATE INDEX clips_by_trash ON clips (trash_id);
CREATE INDEX concepts_by_trash ON concepts (trash_id);
CREATE INDEX edits_by_trash ON edits (trash_id);

CREATE VIEW searchable (kind, id, name, words, tags) AS
SELECT 'clip', id, name,
  concat_ws(' ', json_extract(source, '$.name'), notes),
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

-- Which row of the index is which item: the index itself can be looked up by words only.
CREATE TABLE search_rows (
  row INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  UNIQUE (kind, id)
) STRICT;
CREATE VIRTUAL TABLE search USING fts5 (
  name, words, tags,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
INSERT INTO search_rows (kind, id) SELECT kind, id FROM searchable;
INSERT INTO search (rowid, name, words, tags)
SELECT row, name, words, tags FROM searchable JOIN search_rows USING (kind, id);
`;
