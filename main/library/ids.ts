import { randomBytes } from 'node:crypto';
import type { ItemKind, ItemReference } from '../../shared/domain/library.ts';
import { AppError } from '../../shared/ipc/result.ts';
import { tableOf } from './labels.ts';
import type { Library } from './open.ts';

/** 'Dancer in a park' -> 'dancer-in-a-park-3f2a': readable, typeable, and free according to `isTaken`. */
export function makeId(name: string, isTaken: (id: string) => boolean): string {
  for (let bytes = 2; ; bytes++) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const id = `${slug(name)}-${randomBytes(bytes).toString('hex')}`;
      if (!isTaken(id)) return id;
    }
  }
}

/** Lower-case ASCII words joined by '-', at most 24 characters, never empty. */
export function slug(name: string): string {
  const words = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 24)
    .replace(/-+$/, '');
  return words || 'item';
}

const allKinds: ItemKind[] = ['concept', 'edit', 'clip'];

/** An id that no item of the library has, those in the trash included, and that nobody has reserved. */
export function makeItemId(library: Library, name: string, isReserved: (id: string) => boolean = () => false): string {
  const statement = library.db.prepare(
    allKinds.map((kind) => `SELECT 1 FROM ${tableOf[kind]} WHERE id = @id`).join(' UNION ALL '),
  );
  return makeId(name, (id) => isReserved(id) || statement.get({ id }) !== undefined);
}

/**
 * An id, a unique beginning of an id, or a unique name -> the item. An exact id wins over a name, a name over
 * one in other letters (`Dance` over `dance`), and that over the beginning of an id. Throws `not-found`, or `conflict` with the candidates when several items fit.
 */
export function resolveItem(library: Library, reference: string, kinds: ItemKind[] = allKinds): ItemReference {
  const items = kinds.flatMap((kind) => liveItems(library, kind));
  return choose(reference, items, kinds.join(' or '));
}

function liveItems(library: Library, kind: ItemKind): (ItemReference & { name: string })[] {
  const rows = library.db
    .prepare<[], { id: string; name: string }>(
      `SELECT id, name FROM ${tableOf[kind]} WHERE trash_id IS NULL ORDER BY created_at`,
    )
    .all();
  return rows.map((row) => ({ kind, ...row }));
}

/** The rule of resolveItem over any list of things with an id and a name; `what` names them in the error. */
export function choose<T extends { id: string; name?: string }>(reference: string, items: T[], what: string): T {
  const wanted = reference.trim().toLowerCase();
  const rules: ((item: T) => boolean)[] = [
    (item) => item.id === reference.trim(),
    (item) => item.name === reference.trim(),
    (item) => item.name?.toLowerCase() === wanted,
    (item) => wanted !== '' && item.id.startsWith(wanted),
  ];
  for (const rule of rules) {
    const found = items.filter(rule);
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      throw new AppError('conflict', `"${reference}" matches ${found.length} things: ${listed(found)}.`, {
        hint: 'Use the full id.',
      });
    }
  }
  throw new AppError('not-found', `There is no ${what} "${reference}".`, {
    hint: items.length > 0 ? `The newest are: ${listed(items.slice(-6))}.` : `There is no ${what} yet.`,
  });
}

const listed = (items: { id: string; name?: string }[]) =>
  items.map((item) => (item.name ? `${item.id} ("${item.name}")` : item.id)).join(', ');
