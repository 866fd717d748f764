// One publisher at a time in a repository: who comes second waits, for its metadata must name what the first one put there.
import fs from 'node:fs';
import { KpmError } from '../../errors.ts';
import { unwritable } from '../../host/failure.ts';
import { stillNamed, takeFlock } from '../../host/flock.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { sweepWorkshops } from './workshop.ts';

/** Seconds: packing, signing and a passphrase take less. */
const PATIENCE = 600;

/**
 * Does work while nobody else publishes into the repository (path below the host's root). It is made where it is not there, and
 * taken away again when nothing came into it. Raises `locked`, `file-unwritable`, and what the work raises.
 */
export async function inTurn<T>(machine: Machine, repository: string, ui: Ui, work: () => Promise<T>): Promise<T> {
  const { host } = machine;
  const made = host.lstat(repository) === null;
  const { fd, alone } = await locked(machine, repository, ui);
  try {
    if (alone) sweepWorkshops(host, repository);
    return await work();
  } finally {
    if (made) host.removeEmptyDir(repository);
    fs.closeSync(fd);
  }
}

interface Turn {
  readonly fd: number;
  /** False where the directory cannot be locked. */
  readonly alone: boolean;
}

/** The open directory, locked. Who was before may have made it and taken it away again: then it is made anew. */
async function locked(machine: Machine, repository: string, ui: Ui): Promise<Turn> {
  const { host } = machine;
  for (;;) {
    host.mkdirs(repository);
    const fd = opened(machine, repository);
    try {
      const alone = await wait(machine, fd, host.show(repository), ui);
      if (stillNamed(fd, host.stat(repository))) return { fd, alone };
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    fs.closeSync(fd);
  }
}

/** The directory itself is what is locked: no file of ours lies in what others serve. */
function opened({ host }: Machine, repository: string): number {
  try {
    return fs.openSync(
      host.realPath(repository) ?? host.show(repository),
      fs.constants.O_RDONLY | fs.constants.O_DIRECTORY,
    );
  } catch (error) {
    throw unwritable(host.show(repository), error);
  }
}

/** Gives whether nobody else can be at work now. */
async function wait(machine: Machine, fd: number, repository: string, ui: Ui): Promise<boolean> {
  try {
    if (await takeFlock(machine, fd, 0)) return true;
    ui.note(`Somebody else publishes into ${repository}; waiting for ${PATIENCE / 60} minutes at most.`);
    if (await takeFlock(machine, fd, PATIENCE)) return true;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code !== 'program-failed') throw error;
    ui.warn(
      `${repository} cannot be locked (${error.message.replace(/\.$/, '')}): see to it that nobody else publishes there now.`,
    );
    return false;
  }
  throw new KpmError('locked', {
    text: `Somebody else has been publishing into ${repository} for ${PATIENCE / 60} minutes.`,
    subject: repository,
    hint: `See who it is: sudo fuser -v ${repository}`,
  });
}
