// System errors in words for people: what could not be read or written, why, and what to do.
import path from 'node:path';
import { hasErrno, KpmError } from '../errors.ts';

/** The system's reason without the call and the path, which name descriptors: `permission denied`. */
export function reasonOf(error: unknown): string {
  const message = String((error as { message?: unknown } | null)?.message ?? error);
  return /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? message;
}

/** `file-unreadable` for a path as shown to people. */
export function unreadable(shown: string, error: unknown): KpmError {
  const denied = hasErrno(error, 'EACCES', 'EPERM');
  return new KpmError('file-unreadable', {
    text: `${shown} could not be read: ${reasonOf(error)}.`,
    subject: shown,
    hint: denied ? 'Check who may read it (ls -l), or run the command as root.' : lookAt(shown, error),
    cause: error,
  });
}

/** Where to look, when it is neither rights nor space. */
function lookAt(shown: string, error: unknown): string {
  if (hasErrno(error, 'EIO', 'EUCLEAN'))
    return 'The disk or its file system is damaged; see what the kernel says of it: dmesg | tail';
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return `Check the path: ls -ld ${path.dirname(shown)}`;
  return `See what lies there: ls -ld ${shown}`;
}

/** `no-space`, `read-only`, `needs-root` or `file-unwritable`, for a path as shown to people. */
export function unwritable(shown: string, error: unknown): KpmError {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new KpmError('no-space', {
      text: `No space left for ${shown}.`,
      subject: shown,
      hint: `Free space on that file system (df ${path.dirname(shown)}) and run the same command again.`,
      cause: error,
    });
  }
  if (hasErrno(error, 'EROFS')) {
    return new KpmError('read-only', {
      text: `${shown} is on a read-only file system.`,
      subject: shown,
      hint: 'Remount it writable, or run where /var is writable.',
      cause: error,
    });
  }
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new KpmError('needs-root', {
      text: `${shown} may not be changed by this user.`,
      subject: shown,
      hint: `Check who may write there (ls -ld ${path.dirname(shown)}), or run the command as root.`,
      cause: error,
    });
  }
  return new KpmError('file-unwritable', {
    text: `${shown} could not be written: ${reasonOf(error)}.`,
    subject: shown,
    hint: lookAt(shown, error),
    cause: error,
  });
}
