import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';

/** Content types by extension; every other file is bytes to the browser. */
export type FileTypes = Readonly<Record<string, string>>;

/**
 * A file, or the part of it that a Range header asks for, as an answer. 404 when it is not there, 416 when
 * the range is outside.
 */
export async function fileResponse(
  file: string,
  range: string | null,
  types: FileTypes,
  headers: Record<string, string>,
): Promise<Response> {
  const information = await stat(file).catch(() => null);
  if (!information?.isFile()) {
    const plain = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' };
    return new Response('Not found.', { status: 404, headers: { ...headers, ...plain } });
  }
  const { size } = information;
  const common = {
    ...headers,
    'Content-Type': types[extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    'Last-Modified': information.mtime.toUTCString(),
  };
  const part = range === null ? null : parseRange(range, size);
  if (part === 'outside') {
    return new Response(null, { status: 416, headers: { ...common, 'Content-Range': `bytes */${size}` } });
  }
  const { start, end } = part ?? { start: 0, end: size - 1 };
  const body = size === 0 ? null : bodyOf(file, start, end);
  const length = String(size === 0 ? 0 : end - start + 1);
  return new Response(body, {
    status: part ? 206 : 200,
    headers: {
      ...common,
      'Content-Length': length,
      ...(part ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    },
  });
}

function bodyOf(file: string, start: number, end: number): ReadableStream {
  return Readable.toWeb(createReadStream(file, { start, end })) as ReadableStream;
}

/**
 * The first range of a Range header; null when the header asks for none that we know, and the whole file is
 * the answer.
 */
export function parseRange(header: string, size: number): { start: number; end: number } | 'outside' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]));
  return start > end || start >= size ? 'outside' : { start, end };
}
