import { type Look, type LookInput, look, lookInput, requireEffect, standardLooks } from '../../shared/domain/look.ts';
import { AppError, parseInput } from '../../shared/ipc/result.ts';
import { slug } from './ids.ts';
import type { Library } from './open.ts';

interface LookRow {
  id: string;
  name: string;
  from_words: string;
  to_words: string;
  strength: number;
  keep_detail: number;
  amount: number;
  colour: number;
}

function fromRow(row: LookRow): Look {
  return look.parse({
    id: row.id,
    name: row.name,
    from: row.from_words,
    to: row.to_words,
    strength: row.strength,
    keepDetail: row.keep_detail,
    amount: row.amount,
    colour: row.colour,
  });
}

/** Looks of one's own, in an order of one's own, before those that come with the program. */
export class LookStore {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  own(): Look[] {
    return this.#library.db.prepare<[], LookRow>('SELECT * FROM looks ORDER BY position').all().map(fromRow);
  }

  list(): { look: Look; isOwn: boolean }[] {
    return [
      ...this.own().map((look) => ({ look, isOwn: true })),
      ...standardLooks.map((look) => ({ look, isOwn: false })),
    ];
  }

  /** By id or name, whatever its case. Throws `not-found` with the names that there are. */
  get(reference: string): Look {
    const wanted = reference.trim().toLowerCase();
    const all = this.list().map(({ look }) => look);
    const found = all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name.toLowerCase() === wanted);
    if (found) return found;
    throw new AppError('not-found', `There is no look "${reference}".`, {
      hint: `There are ${all.map(({ id }) => id).join(', ')}.`,
    });
  }

  /**
   * A new look, last in the order, or in the place of the one with that id. Throws `conflict` for a name that
   * is taken.
   */
  save(input: LookInput, id?: string): Look {
    const wanted = parseInput(lookInput, input);
    requireEffect(wanted.from, wanted.to);
    const { db } = this.#library;
    return this.#library.write(() => {
      const taken = this.list().find(
        ({ look }) => look.id !== id && look.name.toLowerCase() === wanted.name.toLowerCase(),
      );
      if (taken)
        throw new AppError('conflict', `There is already a look named "${taken.look.name}".`, {
          hint: 'Choose another name.',
        });
      if (id !== undefined && !this.own().some((own) => own.id === id))
        throw new AppError('not-found', `There is no look of your own with the id "${id}".`);
      const ids = new Set(this.list().map(({ look }) => look.id));
      const saved: Look = { id: id ?? freeId(wanted.name, ids), ...wanted };
      db.prepare(
        `INSERT INTO looks (id, name, from_words, to_words, strength, keep_detail, amount, colour, position)
         VALUES (@id, @name, @from, @to, @strength, @keepDetail, @amount, @colour, (SELECT coalesce(max(position), 0) + 1 FROM looks))
         ON CONFLICT (id) DO UPDATE SET name = @name, from_words = @from, to_words = @to, strength = @strength, keep_detail = @keepDetail,
           amount = @amount, colour = @colour`,
      ).run(saved);
      return saved;
    });
  }

  /** Moves one before another, or to the end. */
  move(id: string, before: string | null): void {
    this.#library.write(() => {
      const others = this.own().filter((own) => own.id !== id);
      const place = before === null ? others.length : others.findIndex((own) => own.id === before);
      const moved = this.own().find((own) => own.id === id);
      if (!moved || place < 0) throw new AppError('not-found', `There is no look of your own with the id "${id}".`);
      const update = this.#library.db.prepare('UPDATE looks SET position = ? WHERE id = ?');
      for (const [position, own] of others.toSpliced(place, 0, moved).entries()) update.run(position, own.id);
    });
  }

  remove(id: string): void {
    this.#library.write(() => {
      const { changes } = this.#library.db.prepare('DELETE FROM looks WHERE id = ?').run(id);
      if (changes === 0) throw new AppError('not-found', `There is no look of your own with the id "${id}".`);
    });
  }
}

function freeId(name: string, taken: ReadonlySet<string>): string {
  const stem = slug(name);
  for (let number = 1; ; number++) {
    const id = number === 1 ? stem : `${stem}-${number}`;
    if (!taken.has(id)) return id;
  }
}
