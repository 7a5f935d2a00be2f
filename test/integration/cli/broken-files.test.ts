import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasShared, sharedFolder } from '../../shared-material.ts';
import { createWorkplace, type Workplace } from './command.ts';

const broken = join(sharedFolder, 'clips/broken');
const files = hasShared ? readdirSync(broken) : [];

/** These hold enough that decodes: they are imported with a warning. */
const readable = ['corrupted_mid_stream.mp4', 'truncated_moov_first.mp4', 'truncated_signing.mkv'];

describe.skipIf(!hasShared)('broken files', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await createWorkplace();
    await place.answer('clips', ['clips']);
    // A device tests itself once, at its first use, and keeps the result in the library's folder.
    await place.motif(['doctor']);
  }, 120_000);
  afterAll(() => place.close());

  const contents = () =>
    (readdirSync(place.home, { recursive: true }) as string[])
      // The database and its journal note the failed attempt; the library's daily copy and its reserve may fall due meanwhile.
      .filter((name) => !/^library\.|^logs|^backups|^reserve/.test(name) && statSync(join(place.home, name)).isFile());

  test.each(files.filter((name) => !readable.includes(name)))(
    '%s is refused in time, in words, and leaves nothing behind',
    async (name) => {
      const before = contents();
      const started = performance.now();
      const { code, out, err } = await place.motif(['import', join(broken, name)]);
      const seconds = (performance.now() - started) / 1000;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^Error: \S/m);
      expect(err).not.toMatch(/\n\s+at /);
      expect(contents()).toEqual(before);
      const asked = performance.now();
      expect((await place.answer('clips', ['clips'])).clips).toEqual([]);
      // What the machine takes for a command that does nothing says how busy it is.
      expect(seconds).toBeLessThan(10 + (10 * (performance.now() - asked)) / 1000);
    },
  );

  test.each(files.filter((name) => readable.includes(name)))('%s is imported with a warning', async (name) => {
    const other = await createWorkplace();
    try {
      const { clip } = await other.answer('clip', ['import', join(broken, name)]);
      expect(clip.warnings.length).toBeGreaterThan(0);
    } finally {
      await other.close();
    }
  });
});
