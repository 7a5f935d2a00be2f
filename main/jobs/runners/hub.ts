import { Readable } from 'node:stream';
import { z } from 'zod';
import type { RemoteModel } from '../../../shared/domain/model.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import type { Library } from '../../library/open.ts';
import { readSettings } from '../../library/settings.ts';

/** What the Hub's API says of one revision of a repository: https://huggingface.co/docs/hub/api */
const repository = z.object({
  tags: z.array(z.string()).nullish(),
  cardData: z.looseObject({ license: z.union([z.string(), z.array(z.string())]).nullish() }).nullish(),
  sha: z.string(),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().nonnegative(),
      blobId: z.string(),
      /** Large files: the hash of their content. Small ones are known by the hash of their git object. */
      lfs: z.object({ sha256: z.string(), size: z.number() }).nullish(),
    }),
  ),
});
export type RemoteFile = z.infer<typeof repository>['siblings'][number];

/**
 * The parts of a text-to-video model in diffusers' layout; repositories often hold pictures and other formats besides. Names of plain
 * letters only: a backslash or a colon would be a step to elsewhere on Windows.
 */
const wanted =
  /^(model_index\.json|README\.md|LICENSE[\w.-]*|(transformer|vae|text_encoder|tokenizer|scheduler)\/[\w.-]+\.(json|safetensors|model|txt))$/;

/** Where models are fetched from: the mirror of the settings, that of the environment, or the Hub itself. */
export function hubAddress(library: Library): string {
  const address = readSettings(library).modelMirror ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co';
  return address.replace(/\/+$/, '');
}

/**
 * The files of a model in diffusers' layout, and the commit that they are of. Throws `not-found`, `disconnected`, `damaged-file` for an
 * answer that is no list, or `invalid-input` for a repository without such a model.
 */
export async function listModel(
  endpoint: string,
  { repository: name, revision }: { repository: string; revision: string },
  signal: AbortSignal,
): Promise<{ sha: string; files: RemoteFile[]; license: string }> {
  const list = `${endpoint}/api/models/${name}/revision/${revision}?blobs=true`;
  const { sha, siblings, tags, cardData } = await readList(list, signal);
  const files = siblings.filter(({ rfilename }) => wanted.test(rfilename));
  if (!files.some(({ rfilename }) => rfilename === 'model_index.json')) {
    throw new AppError('invalid-input', `${name} has no model in the diffusers layout.`, {
      hint: 'Its name on the Hub usually ends in "-Diffusers", as in Wan-AI/Wan2.1-T2V-1.3B-Diffusers.',
    });
  }
  const tagged = tags?.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);
  const license = [cardData?.license ?? tagged ?? 'unknown'].flat().join(', ');
  return { sha, files, license };
}

/** What is to be known of a model before it is fetched. Throws as `listModel` does. */
export async function describeRemote(
  endpoint: string,
  request: { repository: string; revision: string },
  signal: AbortSignal,
): Promise<RemoteModel> {
  const { files, license } = await listModel(endpoint, request, signal);
  return { license, sizeBytes: totalBytes(files), files: files.length, from: new URL(endpoint).host };
}

export const totalBytes = (files: readonly RemoteFile[]) => files.reduce((bytes, { size }) => bytes + size, 0);

/** What the Hub says of a repository, if it says so in reasonable length. */
async function readList(address: string, signal: AbortSignal): Promise<z.infer<typeof repository>> {
  const answer = await ask(address, signal);
  let text = '';
  for await (const chunk of Readable.fromWeb(answer.body as never).setEncoding('utf8')) {
    text += chunk;
    if (text.length > longestList) break;
  }
  try {
    return repository.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('damaged-file', `${new URL(address).host} did not answer with a list of files.`, {
      hint: 'Check the name and the network (it may be showing a login page), then try again.',
      cause,
    });
  }
}

const longestList = 16 * 2 ** 20;

/**
 * Asks a server. Throws `disconnected` where none answers, or where the answer only ends with the connection: whether all of it has come
 * cannot be told then, and Node's fetch (24.21) ends the process over one that is read slowly. Throws `not-found` where it refuses.
 */
export async function ask(
  address: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<Response> {
  const answer = await fetch(address, { signal, headers }).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown;
    throw unreachable(address, thrown);
  });
  const isFramed = answer.headers.has('content-length') || answer.headers.has('transfer-encoding') || !answer.body;
  if (answer.ok && isFramed) return answer;
  await answer.body?.cancel();
  if (answer.ok)
    throw new AppError('disconnected', `${new URL(address).host} does not say where its answer ends.`, {
      hint: 'It may be a very old server, or something on the way to it. Fetch the file in another way, and name it on the disk.',
    });
  throw new AppError('not-found', `${address} answered ${answer.status}.`, {
    hint: 'Check the name, which looks like Wan-AI/Wan2.1-T2V-1.3B-Diffusers. Models that ask for an account cannot be fetched from here.',
  });
}

export function unreachable(address: string, thrown: unknown): AppError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : String(thrown);
  return new AppError('disconnected', `The connection to ${new URL(address).host} broke: ${cause}`, {
    hint: 'Try again when there is a network; what has arrived is kept. Or fetch it in another way, and name the file or folder on the disk.',
  });
}
