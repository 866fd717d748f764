// module: the kpatch utility's commands, argument for argument; usage errors end with 1, as there.

import { OWN_KPATCH_VERSION } from '../../decide/match.ts';
import type { KpmError } from '../../errors.ts';
import { openState } from '../../state/directory.ts';
import { type LockedState, lockState } from '../../state/lock.ts';
import type { Session } from '../../usecases/module/session.ts';
import type { Context } from '../context.ts';
import { errorLines } from '../failure.ts';
import { clean } from '../render/clean.ts';
import { errorJson, JSON_FORMAT } from '../render/json.ts';
import { errorForThisRoot } from '../root-command.ts';

const USAGE = `usage: kpatch-pm module COMMAND [ARGUMENT...]

   load FILE | MODULE       load a module file, or an installed module
   load --all               load everything installed for the running kernel
   unload MODULE            take a live patch out of the kernel (asks; --yes answers)
   unload --all             take all of them out
   install [-k KVER] FILE   put a module where it is loaded from at boot
   uninstall [-k KVER] MODULE
   list                     what is loaded and what is installed
   info FILE | MODULE       what the module says of itself
   signal                   help a stalled transition along
   version
`;

const YES = ['--yes', '-y'];
const ALL = ['-a', '--all'];

export async function run(context: Context): Promise<number> {
  const { output, options, machine } = context;
  const [command = '', ...given] = context.words;
  const words = given.filter((word) => !YES.includes(word)).map((word) => (ALL.includes(word) ? '--all' : word));
  const yes = options.flag('assumeyes') || words.length < given.length;
  const locks: LockedState[] = [];
  const session = sessionFor(context, yes, locks);
  const usage = (): number => {
    output.err(USAGE);
    return 1;
  };
  try {
    switch (command) {
      case 'load':
      case 'unload': {
        if (words.length !== 1) return usage();
        const { load, unload } = await import('../../usecases/module/load.ts');
        return await (command === 'load' ? load : unload)(session, words);
      }
      case 'install':
      case 'uninstall': {
        const target = kernelOf(words, machine.uname ?? '');
        if (target === null) return usage();
        const { install, uninstall } = await import('../../usecases/module/install.ts');
        return await (command === 'install' ? install : uninstall)(session, target.kernel, target.rest);
      }
      case 'list': {
        if (words.length !== 0) return usage();
        const { listModules, listText } = await import('../../usecases/module/list.ts');
        output.out(listText(listModules(machine)));
        return 0;
      }
      case 'info': {
        if (words.length !== 1) return usage();
        return await (await import('../../usecases/module/install.ts')).info(session, words);
      }
      case 'signal':
        if (words.length !== 0) return usage();
        return (await import('../../usecases/module/install.ts')).signal(session);
      case 'version':
        if (words.length !== 0) return usage();
        output.out(`${OWN_KPATCH_VERSION}\n`);
        return 0;
      case '':
      case 'help':
      case '-h':
      case '--help':
        return usage();
      default:
        output.out(`subcommand ${clean(command)} not recognized\n`);
        return usage();
    }
  } finally {
    for (const lock of locks) lock.release();
  }
}

/** `-k KVER`, `-kKVER`, `--kernel-version KVER`, `--kernel-version=KVER`; null for another option or more than one file. */
function kernelOf(words: readonly string[], running: string): { kernel: string; rest: string[] } | null {
  let kernel = running;
  const rest: string[] = [];
  for (let n = 0; n < words.length; n++) {
    const word = words[n] as string;
    const glued = /^(?:-k|--kernel-version=)(.+)$/.exec(word)?.[1];
    if (word === '-k' || word === '--kernel-version') {
      const value = words[++n];
      if (value === undefined) return null;
      kernel = value;
    } else if (glued !== undefined) kernel = glued;
    else if (word.startsWith('-')) return null;
    else rest.push(word);
  }
  return rest.length > 1 ? null : { kernel, rest };
}

function sessionFor(
  { machine, options, output, ui, words, request, ...context }: Context,
  yes: boolean,
  locks: LockedState[],
): Session {
  const transaction = async (): Promise<LockedState> => {
    const [held] = locks;
    if (held) return held;
    const timeout = Number(options.value('lock-timeout') ?? '0');
    const command = `kpatch-pm module ${words[0] ?? ''}`;
    const lock = await lockState(machine, openState(machine), { timeout, command });
    locks.push(lock);
    await (await import('../../apply/install.ts')).recover(machine, lock, ui);
    return lock;
  };
  return {
    machine,
    commandLine: request.commandLine ?? 'module',
    get directory() {
      return context.directory;
    },
    ui,
    yes,
    out: (text) => output.out(text.split('\n').map(clean).join('\n')),
    err: (text) => output.err(text.split('\n').map(clean).join('\n')),
    fail: (text) => {
      output.err(`kpatch: ${clean(text)}\n`);
      return 1;
    },
    explain: (error) => {
      const { message, hint } = errorForThisRoot(error, options);
      output.err(errorLines(message, hint, output.errStyle));
    },
    locked: async () => (await transaction()).state,
    transaction,
  };
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, error: errorJson(error) };
}
