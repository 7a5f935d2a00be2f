/**
 * Edits of a concept have names of their own. Until now their words stood in for one, and they were called by their places among those
 * that were there; what was named by its words gets that place as its name, and what is in the trash the places after.
 */
export const editNames = `
WITH places AS (
  SELECT id, row_number() OVER (PARTITION BY concept_id ORDER BY trash_id IS NOT NULL, created_at, rowid) AS place
  FROM edits WHERE concept_id IS NOT NULL
)
UPDATE edits SET name = 'Edit ' || (SELECT place FROM places WHERE places.id = edits.id)
WHERE concept_id IS NOT NULL AND name IN (substr(trim(json_extract(settings, '$.prompt')), 1, 80), id);

UPDATE search SET name = (
  SELECT edits.name FROM edits JOIN search_rows ON search_rows.kind = 'edit' AND search_rows.id = edits.id
  WHERE search_rows.row = search.rowid
)
WHERE rowid IN (SELECT row FROM search_rows JOIN edits USING (id) WHERE kind = 'edit' AND trash_id IS NULL);
`;
