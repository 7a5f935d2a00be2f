import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of the checkout, which an installed package lacks; null there. */
export function findInCheckout(path: string): string | null {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, path))) return join(folder, path);
  }
  return null;
}
