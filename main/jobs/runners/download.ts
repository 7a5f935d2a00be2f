import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { DownloadInput, DownloadOutput } from '../../../shared/domain/job-input.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { requireFreeSpace } from '../../files/free-space.ts';
import { moveWhole } from '../../files/place.ts';
import type { Library } from '../../library/open.ts';
import { createProgressMeter } from '../progress-meter.ts';
import type { RunContext, Runner } from '../runner.ts';

/** What the Hub's API says of one revision of a repository: https://huggingface.co/docs/hub/api */
const repository = z.object({
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
type RemoteFile = z.infer<typeof repository>['siblings'][number];

/**
 * The parts of a text-to-video model in diffusers' layout; repositories often hold pictures and other formats
 * besides. Names of plain letters only: a backslash or a colon would be a step to elsewhere on Windows.
 */
const wanted =
  /^(model_index\.json|README\.md|LICENSE[\w.-]*|(transformer|vae|text_encoder|tokenizer|scheduler)\/[\w.-]+\.(json|safetensors|model|txt))$/;

/**
 * A model of the Hugging Face Hub comes into the library's `models` folder: file by file, resumed where it
 * was broken off, checked by hash.
 */
export function downloadRunner({
  library,
  endpoint = process.env.HF_ENDPOINT ?? 'https://huggingface.co',
}: {
  library: Library;
  endpoint?: string;
}): Runner<DownloadInput, DownloadOutput> {
  return {
    kind: 'download',
    lane: 'network',
    resumes: true,
    prepare(input) {
      const name = basename(input.repository);
      if (existsSync(library.absolutePath(`models/${name}`))) {
        throw new AppError('conflict', `There is already a model "${name}".`);
      }
      return { input, title: `Download ${input.repository}`, targetName: name };
    },
    async run({ input, folder, signal, onProgress }: RunContext<DownloadInput>) {
      const list = `${endpoint}/api/models/${input.repository}/revision/${input.revision}?blobs=true`;
      const { sha, siblings } = await readList(list, signal);
      const files = siblings.filter(({ rfilename }) => wanted.test(rfilename));
      if (!files.some(({ rfilename }) => rfilename === 'model_index.json')) {
        throw new AppError('invalid-input', `${input.repository} has no model in the diffusers layout.`, {
          hint: 'Its name on the Hub usually ends in "-Diffusers", as in Wan-AI/Wan2.1-T2V-1.3B-Diffusers.',
        });
      }
      const made = join(folder, 'model');
      const missing = files.filter(({ rfilename }) => !existsSync(join(made, rfilename)));
      await requireFreeSpace(folder, sum(missing));
      const measure = createProgressMeter('download', 'MB');
      const total = sum(files);
      const begun = total - sum(missing);
      let done = begun;
      const tell = (bytes: number) => {
        done += bytes;
        const { perSecond, etaSeconds, ...rest } = measure(
          Math.round((done - begun) / 1e6),
          Math.round((total - begun) / 1e6),
        );
        onProgress({ ...rest, done: Math.round(done / 1e6), total: Math.round(total / 1e6), perSecond, etaSeconds });
      };
      for (const file of missing) {
        const address = `${endpoint}/${input.repository}/resolve/${sha}/${file.rfilename}`;
        await fetchFile(address, file, join(made, file.rfilename), signal, tell);
      }
      const name = basename(input.repository);
      return { output: { directory: `models/${name}` }, move: { from: made, to: `models/${name}` } };
    },
  };
}

/**
 * Goes on where an earlier attempt broke off. Throws `damaged-file` when what arrived is not what was
 * promised.
 */
async function fetchFile(
  address: string,
  file: RemoteFile,
  target: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  mkdirSync(dirname(target), { recursive: true });
  const part = `${target}.part`;
  const hash = file.lfs ? createHash('sha256') : createHash('sha1').update(`blob ${file.size}\0`);
  const known = existsSync(part) ? statSync(part).size : 0;
  const resumes = known > 0 && known < file.size;
  if (!resumes) rmSync(part, { force: true });
  else await pipeline(createReadStream(part), countInto(hash, onBytes, signal), { signal });
  const answer = await ask(address, signal, resumes ? { Range: `bytes=${known}-` } : {});
  if (resumes && answer.status !== 206) {
    // The server sends it whole again.
    await answer.body?.cancel();
    rmSync(part, { force: true });
    onBytes(-known);
    return fetchFile(address, file, target, signal, onBytes);
  }
  if (answer.body) {
    const write = createWriteStream(part, { flags: 'a' });
    const rest = file.size - (resumes ? known : 0);
    await pipeline(Readable.fromWeb(answer.body as never), passThrough(hash, rest, file, onBytes), write, {
      signal,
    }).catch((thrown: unknown) => {
      if (thrown instanceof AppError) rmSync(part, { force: true });
      // Only what the network did is Node's to word; a full disk says so itself.
      throw signal.aborted || !(thrown instanceof TypeError) ? thrown : unreachable(address, thrown);
    });
  } else createWriteStream(part, { flags: 'a' }).end();
  const expected = file.lfs?.sha256 ?? file.blobId;
  const found = hash.digest('hex');
  if (found !== expected) {
    rmSync(part, { force: true });
    throw new AppError('damaged-file', `${file.rfilename} arrived damaged: its hash is ${found}, not ${expected}.`, {
      hint: 'Try again: this file is fetched anew, the others are kept.',
    });
  }
  await moveWhole(part, target);
}

/** Breaks off after `rest` bytes: a server that sends more than it announced would fill the disk. */
function passThrough(hash: Hash, rest: number, file: RemoteFile, onBytes: (bytes: number) => void): Transform {
  let left = rest;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left < 0) return done(tooLong(file));
      hash.update(chunk);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
}

function tooLong({ rfilename, size }: RemoteFile): AppError {
  return new AppError('damaged-file', `${rfilename} is longer than the ${size} bytes that were announced.`, {
    hint: 'Try again later, or fetch the model in another way and add its folder.',
  });
}

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

/** Reads what is there already into the hash. */
function countInto(hash: Hash, onBytes: (bytes: number) => void, signal: AbortSignal) {
  return async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      signal.throwIfAborted();
      hash.update(chunk);
      onBytes(chunk.length);
    }
  };
}

async function ask(address: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(address, { signal, headers }).catch((thrown: unknown) => {
    if (signal.aborted) throw thrown;
    throw unreachable(address, thrown);
  });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  throw new AppError('not-found', `${address} answered ${answer.status}.`, {
    hint: 'Check the name, which looks like Wan-AI/Wan2.1-T2V-1.3B-Diffusers. Models that ask for an account cannot be fetched from here.',
  });
}

function unreachable(address: string, thrown: unknown): AppError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause.message : String(thrown);
  return new AppError('disconnected', `The connection to ${new URL(address).host} broke: ${cause}`, {
    hint: 'Try again when there is a network; what has arrived is kept. Or add the folder of a model that is on the disk.',
  });
}

const sum = (files: RemoteFile[]) => files.reduce((bytes, { size }) => bytes + size, 0);
