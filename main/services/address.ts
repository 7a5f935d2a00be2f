import { AppError } from '../../shared/ipc/result.ts';

/**
 * Whether a part of a path is one name on every system: no step elsewhere, and nothing that Windows would
 * take for a separator (`%5c` in an address is a backslash once it is decoded).
 */
export function isOneName(part: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no name holds one, and the end of a text is one for the system
  return part !== '' && part !== '.' && part !== '..' && !/[/\\\u0000-\u001f]/.test(part);
}

/**
 * 'clips/a%20b/frames.rgb' -> its names, decoded. Throws `not-found` for an address with a part that is not
 * one name.
 */
export function namesIn(address: string): string[] {
  return address.split('/').map((part) => {
    const name = decoded(part);
    if (name !== undefined && isOneName(name)) return name;
    throw new AppError('not-found', `"${address}" is not served.`);
  });
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
