import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import {
  type SideAnswer,
  type Study,
  type StudyItem,
  type StudyQuestion,
  type StudySettings,
  study,
  studyItem,
  studyQuestion,
  studySettings,
} from '../../shared/domain/study.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { GivenAnswer } from '../../shared/study/results.ts';
import { choose, makeId } from './ids.ts';
import type { Library } from './open.ts';

interface StudyRow {
  id: string;
  name: string;
  code: string;
  settings: string;
  created_at: string;
  items: number;
  raters: number;
  finished: number;
}

/** Someone who answers a study. */
export interface Rater {
  number: number;
  name: string;
}

/** The newest answer of each rater to each question of each item; those taken back are null. */
const newest = `
  SELECT rater, item_id, question, answer, a_is_left, number FROM study_answers WHERE number IN
    (SELECT max(number) FROM study_answers GROUP BY rater, item_id, question)`;

const findRater = 'SELECT number, name FROM study_raters WHERE study_id = ? AND name = ?';

const selectStudies = `
  SELECT studies.*,
    (SELECT count(*) FROM study_items WHERE study_id = studies.id) AS items,
    (SELECT count(*) FROM study_raters WHERE study_id = studies.id) AS raters,
    (SELECT count(*) FROM study_raters WHERE study_id = studies.id AND
      (SELECT count(*) FROM (${newest}) WHERE rater = study_raters.number AND answer IS NOT NULL) =
      ${studyQuestion.options.length} * (SELECT count(*) FROM study_items WHERE study_id = studies.id)) AS finished
  FROM studies`;

/** Studies with their items, raters and answers. Clips lie in `studies/ID`. */
export class StudyStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  list(): Study[] {
    const rows = this.#library.db.prepare<[], StudyRow>(`${selectStudies} ORDER BY created_at DESC, rowid DESC`).all();
    return rows.map(fromRow);
  }

  /** By id, name or the beginning of an id. Throws `not-found` and `conflict` as for everything else. */
  get(reference: string): Study {
    return choose(reference, this.list().toReversed(), 'study');
  }

  /** Throws `not-found` for a code that opens nothing. */
  byCode(code: string): Study {
    const row = this.#library.db.prepare<[string], StudyRow>(`${selectStudies} WHERE code = ?`).get(code);
    if (row) return fromRow(row);
    throw new AppError('not-found', 'There is no such study.', { hint: 'Ask for the link again.' });
  }

  items(studyId: string): StudyItem[] {
    return this.#library.db
      .prepare<[string], { content: string }>('SELECT content FROM study_items WHERE study_id = ? ORDER BY position')
      .all(studyId)
      .map(({ content }) => studyItem.parse(JSON.parse(content)));
  }

  /** Takes over a folder of clips. Throws `conflict` for a name that is taken. */
  insert(name: string, settings: StudySettings, items: readonly StudyItem[], folder: string): Study {
    this.#library.requireWriting();
    const { db } = this.#library;
    this.requireFreeName(name);
    const id = makeId(name, (id) => db.prepare('SELECT 1 FROM studies WHERE id = ?').get(id) !== undefined);
    const code = randomBytes(16).toString('base64url');
    this.#library.adopt([{ from: folder, to: `studies/${id}` }], () => {
      db.prepare('INSERT INTO studies (id, name, code, settings, created_at) VALUES (?, ?, ?, ?, ?)').run(
        ...[id, name, code, JSON.stringify(studySettings.parse(settings)), new Date().toISOString()],
      );
      const add = db.prepare('INSERT INTO study_items (id, study_id, position, content) VALUES (?, ?, ?, ?)');
      for (const [position, item] of items.entries()) add.run(item.id, id, position, JSON.stringify(item));
    });
    return this.byCode(code);
  }

  /** For good: with its items, raters, answers and clips. */
  remove(id: string): void {
    const { db } = this.#library;
    const place = `studies/${id}`;
    const end = this.#library.unfinished.begin(place);
    try {
      this.#library.write(() => {
        db.prepare('UPDATE studies SET is_going = 1 WHERE id = ?').run(id);
        db.prepare('DELETE FROM study_answers WHERE rater IN (SELECT number FROM study_raters WHERE study_id = ?)').run(
          id,
        );
        for (const table of ['study_raters', 'study_items'])
          db.prepare(`DELETE FROM ${table} WHERE study_id = ?`).run(id);
        db.prepare('DELETE FROM studies WHERE id = ?').run(id);
      });
      rmSync(this.#library.absolutePath(place), { recursive: true, force: true });
    } finally {
      end();
    }
  }

  requireFreeName(name: string): void {
    if (this.list().every((each) => each.name.toLowerCase() !== name.toLowerCase())) return;
    throw new AppError('conflict', `There is a study named "${name}" already.`, { hint: 'Choose another name.' });
  }

  /** The rater of that name, whatever its case: a new one, or who has answered before. */
  join(studyId: string, name: string): Rater {
    const { db } = this.#library;
    const known = db.prepare<[string, string], Rater>(findRater).get(studyId, name);
    if (known) return known;
    return this.#library.append((db) => {
      db.prepare('INSERT INTO study_raters (study_id, name, created_at) VALUES (?, ?, ?)').run(
        ...[studyId, name, new Date().toISOString()],
      );
      return db.prepare<[string, string], Rater>(findRater).get(studyId, name)!;
    });
  }

  /** Null takes an answer back. */
  append(
    rater: Rater,
    given: Omit<GivenAnswer, 'rater' | 'answer'> & { answer: SideAnswer | null; milliseconds: number },
  ): void {
    const { item, question, answer, aIsLeft, milliseconds } = given;
    this.#library.append((db) =>
      db
        .prepare(
          `INSERT INTO study_answers (rater, item_id, question, answer, a_is_left, milliseconds, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(rater.number, item, question, answer, Number(aIsLeft), milliseconds, new Date().toISOString()),
    );
  }

  raters(studyId: string): Rater[] {
    return this.#library.db
      .prepare<[string], Rater>('SELECT number, name FROM study_raters WHERE study_id = ? ORDER BY number')
      .all(studyId);
  }

  /** Answers that stand, in the order in which they were given. */
  answers(studyId: string): GivenAnswer[] {
    return this.#library.db
      .prepare<
        [string],
        { name: string; item_id: string; question: StudyQuestion; answer: SideAnswer; a_is_left: number }
      >(
        `SELECT study_raters.name, item_id, question, answer, a_is_left FROM (${newest}) AS newest
         JOIN study_raters ON study_raters.number = newest.rater
         WHERE study_id = ? AND answer IS NOT NULL ORDER BY newest.number`,
      )
      .all(studyId)
      .map((row) => ({
        rater: row.name,
        item: row.item_id,
        question: row.question,
        answer: row.answer,
        aIsLeft: row.a_is_left === 1,
      }));
  }

  /** A clip of the study that a code opens. Throws `not-found` for anything else. */
  clipFile(code: string, file: string): string {
    const { id } = this.byCode(code);
    if (!/^[0-9a-f]+\.webp$/.test(file)) throw new AppError('not-found', 'There is no such clip.');
    return this.#library.absolutePath(`studies/${id}/${file}`);
  }
}

function fromRow({ created_at, settings, ...row }: StudyRow): Study {
  return study.parse({ ...row, settings: JSON.parse(settings), createdAt: created_at });
}
