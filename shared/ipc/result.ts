import { z } from 'zod';
import { systemErrorShape } from './system-error.ts';

/** Expected failures that a user can act on. Anything else is a bug and arrives as `internal`. */
const errorCodes = [
  'invalid-input',
  'not-found',
  'conflict',
  'unsupported-media',
  'damaged-file',
  'out-of-memory',
  'out-of-space',
  'forbidden',
  'disk-failed',
  'program-ended',
  'engine-crashed',
  'engine-hung',
  'library-locked',
  'library-too-new',
  'cancelled',
  'disconnected',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** `message` says what is wrong; `hint` says what to do about it; `details` are values for a report, never shown alone. */
export const appErrorShape = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export type AppErrorShape = z.infer<typeof appErrorShape>;

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

export type Result<T> = { ok: true; value: T } | { ok: false; error: AppErrorShape };

/** Any thrown thing -> what crosses a process or is stored with a job. An aborted signal counts as `cancelled`. */
export function toErrorShape(thrown: unknown): AppErrorShape {
  if (thrown instanceof AppError) {
    return { code: thrown.code, message: thrown.message, hint: thrown.hint, details: thrown.details };
  }
  if (thrown instanceof Error && thrown.name === 'AbortError') return { code: 'cancelled', message: 'Cancelled.' };
  const known = systemErrorShape(thrown);
  if (known !== null) return known;
  // What a caller wrote is parsed by parseInput: a schema that refuses anything else has met a fault of the program.
  if (thrown instanceof z.ZodError) return { code: 'internal', message: z.prettifyError(thrown) };
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** What a user or a window wrote -> the value it stands for. Throws `invalid-input` with the reasons. */
export function parseInput<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid-input', sentences(parsed.error));
}

/** The reasons as a reader wants them: whole sentences stand alone, others say where they belong. */
function sentences({ issues }: z.ZodError): string {
  const said = issues.map(({ message, path }) =>
    message.endsWith('.') || path.length === 0 ? message : `${message} (at ${path.join('.')})`,
  );
  return [...new Set(said)].join(' ');
}

export function fromErrorShape(shape: AppErrorShape): AppError {
  return new AppError(shape.code, shape.message, { hint: shape.hint, details: shape.details });
}
