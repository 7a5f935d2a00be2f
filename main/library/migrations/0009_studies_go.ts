/** A study can be deleted, and its answers with it; alone they are still only added. */
export const studiesGo = `
ALTER TABLE studies ADD COLUMN is_going INTEGER NOT NULL DEFAULT 0 CHECK (is_going IN (0, 1));

DROP TRIGGER study_answers_are_kept;
CREATE TRIGGER study_answers_are_kept BEFORE DELETE ON study_answers
WHEN NOT EXISTS (
  SELECT 1 FROM study_raters JOIN studies ON studies.id = study_raters.study_id
  WHERE study_raters.number = OLD.rater AND studies.is_going
)
BEGIN SELECT RAISE(ABORT, 'answers are only added'); END;
`;
