import type { AppErrorShape } from './result.ts';

type Sentence = Pick<AppErrorShape, 'code' | 'message' | 'hint'>;

/**
 * What the operating system, SQLite and Node say by codes -> what it means to a user. The first pattern that
 * fits counts.
 */
const sentences: [pattern: RegExp, sentence: Sentence][] = [
  [
    /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_SHMSIZE)$/,
    { code: 'out-of-space', message: 'The disk is full.', hint: 'Free some space and try again.' },
  ],
  [
    /^(EACCES|EPERM|EROFS|SQLITE_READONLY.*|SQLITE_CANTOPEN.*|SQLITE_PERM|SQLITE_AUTH)$/,
    {
      code: 'forbidden',
      message: 'Motif is not allowed to read or write there.',
      hint: "Check the folder's permissions and whether its disk is read-only, or choose another folder.",
    },
  ],
  [
    /^(EIO|ENXIO|ENODEV|ESTALE|SQLITE_IOERR.*)$/,
    {
      code: 'disk-failed',
      message: 'The disk could not be read or written.',
      hint: 'Check that it is connected, healthy and not full, then try again.',
    },
  ],
  [
    /^ENAMETOOLONG$/,
    { code: 'invalid-input', message: 'The name is too long for this disk.', hint: 'Choose a shorter name or folder.' },
  ],
  [/^ENOENT$/, { code: 'not-found', message: 'A file or folder is missing.', hint: 'Check whether it was moved.' }],
  [
    /^(ENOTDIR|EISDIR|ELOOP|EXDEV|ENOTEMPTY|EEXIST)$/,
    {
      code: 'invalid-input',
      message: 'Something else lies where the file belongs.',
      hint: 'Choose another name or folder.',
    },
  ],
  [
    /^(EBUSY|ETXTBSY|SQLITE_BUSY.*|SQLITE_LOCKED.*)$/,
    {
      code: 'conflict',
      message: 'Another program is using the file.',
      hint: 'Close it there, or try again in a moment.',
    },
  ],
  [
    /^(EMFILE|ENFILE|EAGAIN)$/,
    {
      code: 'conflict',
      message: 'The system has no more files or processes to give.',
      hint: 'Close other programs and try again.',
    },
  ],
  [
    /^(ENOMEM|SQLITE_NOMEM|ERR_MEMORY_ALLOCATION_FAILED)$/,
    { code: 'out-of-memory', message: 'There is not enough memory.', hint: 'Close other programs and try again.' },
  ],
  [
    /^(SQLITE_CORRUPT.*|SQLITE_NOTADB)$/,
    {
      code: 'damaged-file',
      message: 'The database is damaged.',
      hint: 'Restart Motif: it names the copy that can be restored.',
    },
  ],
  [
    /^(SQLITE_TOOBIG|ERR_STRING_TOO_LONG|ERR_BUFFER_TOO_LARGE|ERR_FS_FILE_TOO_LARGE)$/,
    { code: 'invalid-input', message: 'It is too large to be taken.', hint: 'Choose something smaller.' },
  ],
  [/^ERR_INVALID_URL$/, { code: 'invalid-input', message: 'The address is malformed.' }],
];

/**
 * null for anything that carries no known code. The system's own words follow the sentence, since they name
 * the file.
 */
export function systemErrorShape(thrown: unknown): AppErrorShape | null {
  if (thrown instanceof URIError) return { code: 'invalid-input', message: 'The address is malformed.' };
  const code = thrown instanceof Error ? (thrown as { code?: unknown }).code : undefined;
  if (typeof code !== 'string') return null;
  const sentence = sentences.find(([pattern]) => pattern.test(code))?.[1];
  if (sentence === undefined) return null;
  return { ...sentence, message: `${sentence.message} (${(thrown as Error).message})`, details: { systemCode: code } };
}
