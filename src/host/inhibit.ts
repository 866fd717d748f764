// A shutdown inhibitor held while something is carried out. Source: systemd-inhibit(1): the lock lives as long as its command.
import { KpmError } from '../errors.ts';
import type { Run } from './run.ts';

/** Runs `act` while a shutdown is inhibited. Where that cannot be had, `act` runs all the same and `tell` hears why. */
export async function whileInhibited<T>(
  run: Run,
  why: string,
  act: () => Promise<T>,
  tell: (text: string) => void,
): Promise<T> {
  if (run.which('systemd-inhibit') === null) return act();
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  // `cat` ends when its input does: when we are done, or when we are gone.
  async function* open(): AsyncGenerator<Buffer> {
    await over;
    yield Buffer.alloc(0);
  }
  const args = ['--what=shutdown', '--who=kpatch-pm', `--why=${why}`, '--mode=block', 'cat'];
  const held = drain(run.filter('systemd-inhibit', args, open())).catch((error: unknown) => {
    if (!(error instanceof KpmError)) throw error;
    tell(`A shutdown is not held back meanwhile: ${error.reason}`);
  });
  try {
    return await act();
  } finally {
    end();
    await held;
  }
}

async function drain(output: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of output) {
    // `cat` says nothing.
  }
}
