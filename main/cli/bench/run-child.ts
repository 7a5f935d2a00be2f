import { spawn } from 'node:child_process';
import type { z } from 'zod';
import { AppError } from '../../../shared/ipc/result.ts';

/** Runs one program that prints what it measured as its last line, and reads it. Throws `engine-crashed` with the end of its words. */
export async function runChild<T>(
  program: string,
  words: string[],
  signal: AbortSignal,
  answer: z.ZodType<T>,
  environment: NodeJS.ProcessEnv = {},
): Promise<T> {
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    env: { ...process.env, ...environment },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-4000);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const last = out.trim().split('\n').at(-1) ?? '';
  try {
    return answer.parse(JSON.parse(last));
  } catch {
    const reason = err.trim().split('\n').at(-1) || `exit code ${exitCode}`;
    throw new AppError('engine-crashed', `The measurement "${words.join(' ')}" ended without an answer: ${reason}`);
  }
}
