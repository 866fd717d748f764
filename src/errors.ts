// Every failure a user can meet: one class, one closed table. docs/errors.md is written from this table.

/** Exit statuses of contract section 3. */
export const EXIT = { done: 0, failed: 1, usage: 2, updatesAvailable: 100, locked: 200 } as const;

interface CodeEntry {
  /** What went wrong, in general terms (for docs/errors.md). */
  readonly meaning: string;
  /** What a person can do about it, in general terms. */
  readonly next: string;
  /** Exit status when this error ends the program; 1 unless said. */
  readonly exit?: number;
}

/** The closed list of error codes. A code never changes its meaning; new ones are added under their area. */
export const ERROR_CODES = {
  // ---- use of the program
  usage: {
    meaning: 'The command line is not one the program knows.',
    next: 'See `kpatch-pm --help`.',
    exit: EXIT.usage,
  },
  'needs-root': {
    meaning: 'The verb changes the machine and the user may not.',
    next: 'Run it as root (sudo), or use --dry-run.',
  },
  aborted: { meaning: 'The question was answered no, or could not be asked.', next: 'Answer y, or run with -y.' },
  locked: {
    meaning: 'Another run holds the lock of this root.',
    next: 'Wait, or use --lock-timeout.',
    exit: EXIT.locked,
  },
  internal: { meaning: 'A fault of kpatch-pm itself.', next: 'Report it with the command and the -v output.' },
  // ---- files and the machine
  'path-escape': { meaning: 'A path leaves the root it belongs to.', next: 'Look at the link or name that is shown.' },
  'file-unreadable': { meaning: 'A file could not be read.', next: 'Check that it exists and who may read it.' },
  'file-unwritable': {
    meaning: 'A file could not be written.',
    next: 'Check space, permissions and whether the file system is read-only.',
  },
  'no-space': {
    meaning: 'The file system is full, or the needed bytes exceed what is free.',
    next: 'Free space and run the same command again.',
  },
  'read-only': {
    meaning: 'The file system is mounted read-only.',
    next: 'Remount it writable and run the same command again.',
  },
  'program-missing': {
    meaning: 'A program of the distribution is needed and absent.',
    next: 'Install the package that brings it.',
  },
  'program-failed': {
    meaning: 'An external program failed, was killed or took too long.',
    next: 'Run the command that is shown by hand.',
  },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** One sentence: what happened, to what, why. */
  readonly text: string;
  /** The file, URL, package or kernel it is about. */
  readonly subject?: string | undefined;
  /** What to do next, best as a command. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An expected failure, told to the user in one sentence and a hint; never shown as a stack trace. */
export class KpmError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | null;
  readonly hint: string | null;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    super(detail.text, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'KpmError';
    this.code = code;
    this.subject = detail.subject ?? null;
    this.hint = detail.hint ?? null;
  }

  /** The exit status of a program that ends with this error. */
  get exit(): number {
    return (ERROR_CODES[this.code] as CodeEntry).exit ?? EXIT.failed;
  }
}

/** Narrows an unknown value to an error with this system errno (`ENOENT`, `ENOSPC` ...). */
export function hasErrno(error: unknown, ...errnos: string[]): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && errnos.includes(code);
}
