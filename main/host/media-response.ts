import { toErrorShape } from '../../shared/ipc/result.ts';
import { mediaFile } from '../services/media.ts';
import type { Services } from '../services/services.ts';
import { type FileTypes, fileResponse } from './send-file.ts';

/** Pictures, videos, reports: nothing that a browser would run, whatever a file is called. */
const types: FileTypes = {
  '.gif': 'image/gif',
  '.jpg': 'image/jpeg',
  '.mkv': 'video/x-matroska',
  '.mov': 'video/quicktime',
  '.mp4': 'video/mp4',
  '.png': 'image/png',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
  '.zip': 'application/zip',
};

/** Opened by itself, such a file may load nothing and run nothing. */
const guarding = {
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Answers a media address (what follows `media/`) for both hosts: files of the library, by id, with ranges.
 */
export async function mediaResponse(services: Services, address: string, range: string | null): Promise<Response> {
  try {
    const file = await mediaFile(services, address);
    return await fileResponse(file, range, types, { ...guarding, 'Cache-Control': cacheRule(address) });
  } catch (thrown) {
    const { code, message } = toErrorShape(thrown);
    const headers = { ...guarding, 'Content-Type': 'text/plain; charset=utf-8' };
    return new Response(message, { status: code === 'internal' ? 500 : 404, headers });
  }
}

/** Frames and pictures never change under their address; a job's samples, exports and sources may. */
function cacheRule(address: string): string {
  return /^(thumbnail|moving|filmstrip|study|clips|edits|pictures|previews)\//.test(address)
    ? 'private, max-age=31536000, immutable'
    : 'no-cache';
}
