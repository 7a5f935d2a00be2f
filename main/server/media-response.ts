import { toErrorShape } from '../../shared/ipc/result.ts';
import { mediaFile } from '../ipc/media.ts';
import type { Services } from '../jobs/services.ts';
import { fileResponse } from './send-file.ts';

/** Answers a media address (what follows `media/`) for both hosts: files of the library, by id, with ranges. */
export async function mediaResponse(services: Services, address: string, range: string | null): Promise<Response> {
  try {
    const file = await mediaFile(services, address);
    return await fileResponse(file, range, { 'Cache-Control': cacheRule(address) });
  } catch (thrown) {
    const { code, message } = toErrorShape(thrown);
    return new Response(message, { status: code === 'internal' ? 500 : 404 });
  }
}

/** Frames and pictures never change under their address; a job's samples, exports and sources may. */
function cacheRule(address: string): string {
  return /^(thumbnail|moving|filmstrip|clips|edits|previews)\//.test(address)
    ? 'private, max-age=31536000, immutable'
    : 'no-cache';
}
