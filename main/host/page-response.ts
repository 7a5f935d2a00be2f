import { join } from 'node:path';
import { AppError } from '../../shared/ipc/result.ts';
import { namesIn } from '../services/address.ts';
import { type FileTypes, fileResponse } from './send-file.ts';

/** What the built page is made of. */
const types: FileTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Answers an address of the page (`/` is index.html) for both hosts with a file of the built renderer. */
export async function pageResponse(
  folder: string,
  pathname: string,
  range: string | null,
  headers: Record<string, string> = {},
): Promise<Response> {
  try {
    const names = pathname === '/' ? ['index.html'] : namesIn(pathname.slice(1));
    // Built files other than the page carry a hash of their content in their name.
    const caching = names[0] === 'assets' ? 'private, max-age=31536000, immutable' : 'no-cache';
    return await fileResponse(join(folder, ...names), range, types, { ...headers, 'Cache-Control': caching });
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'not-found')
      return new Response('Not found.', { status: 404, headers });
    throw thrown;
  }
}
