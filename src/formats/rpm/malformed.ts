import { type ErrorCode, KpmError } from '../../errors.ts';

/** The refusal of a package whose bytes break the format; `what` completes the sentence "The package is damaged: ...". */
export function malformed(what: string): KpmError {
  return new KpmError('rpm-malformed', {
    text: `The package is damaged or forged: ${what}.`,
    hint: 'Fetch the package again; if that does not help, tell whoever publishes it.',
  });
}

/** The refusal of a payload, under its own code. */
export function refused(code: ErrorCode, text: string, subject?: string): KpmError {
  return new KpmError(code, {
    text,
    subject,
    hint: 'Nothing of this package was used. Fetch it again; if that does not help, tell whoever publishes it.',
  });
}
