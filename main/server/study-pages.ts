import { toErrorShape } from '../../shared/ipc/result.ts';
import { mediaResponse } from '../host/media-response.ts';
import { pageResponse } from '../host/page-response.ts';
import type { Services } from '../services/services.ts';

/**
 * `/study/CODE/`, a study's link, and what its page asks for below it. Whoever has the code gets that page, its
 * clips and the calls of `studyContract`, and nothing of the editor.
 */
export interface StudyAddress {
  code: string;
  /** What follows the code and its slash; null where the slash is missing. */
  rest: string | null;
}

export function studyAddress(pathname: string): StudyAddress | null {
  const [, code, slash, rest = ''] = /^\/study\/([\w-]{1,100})(\/)?(.*)$/.exec(pathname) ?? [];
  if (code === undefined) return null;
  return { code, rest: slash === undefined ? null : rest };
}

export async function studyResponse(
  services: Services,
  rendererFolder: string,
  { code, rest }: StudyAddress,
  range: string | null,
): Promise<Response> {
  if (!opens(services, code)) return new Response('There is no such study. Ask for its link again.', notFound);
  if (rest === null) return new Response(null, { status: 308, headers: { Location: `/study/${code}/` } });
  if (rest === '') return pageResponse(rendererFolder, '/study.html', range);
  const [area, name = ''] = rest.split('/');
  if (area === 'clips') return mediaResponse(services, `study/${code}/${name}`, range);
  if (area === 'assets' || rest === 'icon.svg') return pageResponse(rendererFolder, `/${rest}`, range);
  return new Response('Not found.', notFound);
}

const notFound = { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' } };

/** Whether there is a study of that code. */
export function opens(services: Services, code: string): boolean {
  try {
    services.studies.byCode(code);
    return true;
  } catch (thrown) {
    if (toErrorShape(thrown).code === 'not-found') return false;
    throw thrown;
  }
}
