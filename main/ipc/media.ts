import type { AppContract } from '../../shared/ipc/app-contract.ts';
import { AppError } from '../../shared/ipc/result.ts';
import type { Handlers } from '../../shared/ipc/rpc.ts';
import type { Services } from '../jobs/services.ts';

/** The folders of the library that a window may look into; its database and locks are none of them. */
const servedFolders = ['clips', 'edits', 'previews', 'jobs', 'exports'];

/** A path of the library -> where it lies, for what answers `media` addresses. Throws `not-found` for anything else. */
export function servedFile({ library }: Services, path: string): string {
  const [folder = ''] = path.split('/');
  if (!servedFolders.includes(folder) || path.split('/').includes('..')) {
    throw new AppError('not-found', `"${path}" is not served.`);
  }
  return library.absolutePath(path);
}

export function mediaHandlers(services: Services) {
  return {
    'media.address': ({ path }) => {
      servedFile(services, path);
      return { address: `media/${path.split('/').map(encodeURIComponent).join('/')}` };
    },
  } satisfies Partial<Handlers<AppContract>>;
}
