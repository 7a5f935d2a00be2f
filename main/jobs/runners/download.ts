import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DownloadInput, DownloadOutput } from '../../../shared/domain/job-input.ts';
import { AppError } from '../../../shared/ipc/result.ts';
import { requireFreeSpace } from '../../files/free-space.ts';
import type { Library } from '../../library/open.ts';
import { createProgressMeter } from '../progress-meter.ts';
import type { RunContext, Runner } from '../runner.ts';
import { fetchFile } from './fetch-file.ts';
import { hubAddress, listModel, totalBytes } from './hub.ts';

/** A model of the Hugging Face Hub comes into the library's `models` folder: file by file, resumed where it was broken off, checked by hash. */
export function downloadRunner({
  library,
  address = () => hubAddress(library),
}: {
  library: Library;
  /** Where models are fetched from, asked at each attempt. */
  address?: () => string;
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
      const endpoint = address();
      const { sha, files } = await listModel(endpoint, input, signal);
      const made = join(folder, 'model');
      const missing = files.filter(({ rfilename }) => !existsSync(join(made, rfilename)));
      await requireFreeSpace(folder, totalBytes(missing));
      const measure = createProgressMeter('download', 'MB');
      const total = totalBytes(files);
      const begun = total - totalBytes(missing);
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
