/**
 * Blind studies: what is compared, who answers, and the answers, which are only ever added. An answer of null takes the one before it
 * back; the newest of a rater to a question of an item counts.
 */
export const studies = `
CREATE TABLE studies (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  code TEXT NOT NULL UNIQUE,
  settings TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE study_items (
  id TEXT PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES studies (id),
  position INTEGER NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (study_id, position)
) STRICT;

CREATE TABLE study_raters (
  number INTEGER PRIMARY KEY,
  study_id TEXT NOT NULL REFERENCES studies (id),
  name TEXT NOT NULL COLLATE NOCASE,
  created_at TEXT NOT NULL,
  UNIQUE (study_id, name)
) STRICT;

CREATE TABLE study_answers (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  rater INTEGER NOT NULL REFERENCES study_raters (number),
  item_id TEXT NOT NULL REFERENCES study_items (id),
  question TEXT NOT NULL,
  answer INTEGER CHECK (answer IN (-1, 0, 1)),
  a_is_left INTEGER NOT NULL,
  milliseconds INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX study_answers_by_rater ON study_answers (rater, number);

CREATE TRIGGER study_answers_stay BEFORE UPDATE ON study_answers
BEGIN SELECT RAISE(ABORT, 'answers are only added'); END;
CREATE TRIGGER study_answers_are_kept BEFORE DELETE ON study_answers
BEGIN SELECT RAISE(ABORT, 'answers are only added'); END;
`;
