import { isAbsolute, relative, sep } from 'node:path';
import { type ItemKind, itemKind } from '../../shared/domain/library.ts';
import type { mediaCalls } from '../../shared/ipc/app-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Library } from '../library/open.ts';
import { isOneName, namesIn } from './address.ts';
import type { ServiceParts } from './parts.ts';

/** The folders of the library that a window may look into; its database and locks are none of them. */
const servedFolders = ['clips', 'edits', 'pictures', 'previews', 'jobs', 'exports', 'reports'];

/**
 * A path of the library (also as an absolute path) -> the path as stored. Throws `not-found` for what is not
 * served.
 */
function servedPath({ library }: Served, path: string): string {
  const inside = isAbsolute(path) ? relative(library.status().folder, path).split(sep).join('/') : path;
  const parts = inside.split('/');
  if (!servedFolders.includes(parts[0]!) || !parts.every(isOneName)) {
    throw new AppError('not-found', `"${path}" is not served.`);
  }
  return inside;
}

/** What a host sends files of. */
type Served = Pick<ServiceParts, 'media' | 'studies'> & { library: Pick<Library, 'status' | 'absolutePath'> };

const isKind = (name: string): name is ItemKind => itemKind.safeParse(name).success;

/**
 * The address after `media/` -> the file to send. Pictures of items: `thumbnail/KIND/ID`, `moving/KIND/ID`,
 * `filmstrip/CLIP`; clips of a study: `study/CODE/FILE`; videos: `source/CLIP`, `proxy/CLIP.mp4` (or .webm); anything else is a path of the
 * library. Throws AppError for what there is not.
 */
export async function mediaFile(services: Served, address: string): Promise<string> {
  const [area = '', ...rest] = namesIn(address);
  const [first = '', second = ''] = rest;
  switch (area) {
    case 'thumbnail':
    case 'moving':
      if (!isKind(first)) throw new AppError('not-found', `There are no pictures of a ${first}.`);
      return services.media.thumbnail({ kind: first, id: second }, area === 'moving');
    case 'filmstrip':
      return services.media.filmstrip(first);
    case 'study':
      return services.studies.clipFile(first, second);
    case 'source':
      return services.media.source(first);
    case 'proxy': {
      const [, clipId = '', format = ''] = /^(.+)\.(mp4|webm)$/.exec(first) ?? [];
      if (format !== 'mp4' && format !== 'webm') throw new AppError('not-found', `"${first}" is not a proxy.`);
      return services.media.proxy(clipId, format);
    }
    default:
      return services.library.absolutePath(servedPath(services, [area, ...rest].join('/')));
  }
}

export function mediaHandlers(parts: ServiceParts): Handlers<typeof mediaCalls> {
  return {
    'media.tools': async () => {
      const { ffmpeg } = await parts.tools();
      return {
        version: ffmpeg.capabilities.version,
        path: ffmpeg.path,
        origin: ffmpeg.origin,
        encoders: [...ffmpeg.capabilities.encoders],
        missing: ffmpeg.missing.map(({ kind, names, purpose }) => `${kind} ${names.join(' or ')} (${purpose})`),
      };
    },
    'media.address': ({ path }) => ({
      address: `media/${servedPath(parts, path).split('/').map(encodeURIComponent).join('/')}`,
    }),
  };
}
