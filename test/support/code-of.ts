import { KpmError } from '../../src/errors.ts';

/** The code of the KpmError that `act` raises; 'accepted' when it raises none. Anything else raised goes on. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof KpmError) return error.code;
    throw error;
  }
  return 'accepted';
}
