import { expect, test } from 'vitest';
import { run, writeTo } from '../../../main/media/run.ts';

const node = (script: string, options?: Parameters<typeof run>[2]) => run(process.execPath, ['-e', script], options);

test('output, the tail of the errors and the exit code come back', async () => {
  const result = await node(
    'for (let i = 0; i < 100; i++) console.error("line " + i); console.log("out"); process.exitCode = 3',
  );
  expect(result).toMatchObject({ exitCode: 3, output: 'out\n' });
  expect(result.errorTail).toHaveLength(60);
  expect(result.errorTail.at(-1)).toBe('line 99');
});

test('arguments are passed as they are, without a shell', async () => {
  const name = 'a b;$(echo x) "q" %d.mp4';
  const { output } = await run(process.execPath, ['-e', 'console.log(process.argv[1])', name]);
  expect(output.trim()).toBe(name);
});

test('input is written and closed', async () => {
  const { output } = await node('process.stdin.pipe(process.stdout)', {
    writeInput: async (input) => {
      await writeTo(input, Buffer.from('one '));
      await writeTo(input, Buffer.from('two'));
    },
  });
  expect(output).toBe('one two');
});

test('a program that ends before its input does answers by its exit code', async () => {
  const { exitCode } = await node('process.exit(4)', {
    writeInput: async (input) => {
      for (let i = 0; i < 50; i++) await writeTo(input, Buffer.alloc(1 << 20));
    },
  });
  expect(exitCode).toBe(4);
});

test('a failure while making the input is not swallowed', async () => {
  const failing = node('process.stdin.resume()', {
    writeInput: async () => {
      throw new Error('no frames');
    },
  });
  await expect(failing).rejects.toThrow('no frames');
});

test('answering false ends the program early', async () => {
  const chunks: Buffer[] = [];
  const { exitCode } = await node('setInterval(() => console.log("x"), 5)', {
    onOutput: (chunk) => {
      chunks.push(chunk);
      return chunks.length < 3;
    },
  });
  expect(exitCode).toBeNull();
  expect(chunks).toHaveLength(3);
});

test('aborting ends the program and rejects as cancelled', async () => {
  const abort = new AbortController();
  const running = node('console.log("up"); setInterval(() => {}, 1000)', {
    signal: abort.signal,
    onOutput: () => {
      abort.abort();
      return undefined;
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  await expect(node('', { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
});

test('a program that ignores the polite signal is killed', async () => {
  const abort = new AbortController();
  const begun = Date.now();
  const running = node('process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)', {
    signal: abort.signal,
    onOutput: () => {
      abort.abort();
      return undefined;
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(Date.now() - begun).toBeGreaterThan(1500);
});

test('silence for too long counts as hung', async () => {
  await expect(node('setInterval(() => {}, 1000)', { stallMilliseconds: 300 })).rejects.toMatchObject({
    code: 'unsupported-media',
    message: expect.stringContaining('did not respond'),
  });
});

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'a program that %s ends is not taken for one that found a fault',
  async (signal) => {
    const running = node('console.log(process.pid); setInterval(() => {}, 1000)', {
      onOutput: (chunk) => {
        process.kill(Number(chunk.toString()), signal);
        return undefined;
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'program-ended', message: expect.stringContaining(signal) });
  },
);

test('a program that answers a polite signal in the way of ffmpeg was ended, too', async () => {
  await expect(node('process.exit(255)')).rejects.toMatchObject({ code: 'program-ended' });
  const refused = node('console.error("x.mp4: Operation not permitted"); process.exit(255)');
  expect((await refused).exitCode).toBe(255);
});

test('a program that crashes answers without an exit code', async () => {
  expect((await node('process.kill(process.pid, "SIGSEGV")')).exitCode).toBeNull();
});

test('a program that is not there is named', async () => {
  await expect(run('/no/such/ffmpeg', [])).rejects.toMatchObject({ code: 'not-found' });
});
