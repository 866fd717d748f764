// quarantine: what the crash guard took out of use, and how it comes back.
import { release } from '../../apply/aside.ts';
import { recover } from '../../apply/install.ts';
import type { QuarantinedModule } from '../../domain/crashguard.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { maySeeState } from '../../pipeline/holds.ts';
import { aloneAction } from '../../pipeline/record.ts';
import { recordAlone } from '../../pipeline/record-alone.ts';
import { readAttempts, withoutAttempt, writeAttempts } from '../../state/attempts.ts';
import { openState } from '../../state/directory.ts';
import { lockState } from '../../state/lock.ts';
import { QUARANTINE, readQuarantine } from '../../state/quarantine.ts';
import { readReceipts } from '../../state/receipts.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { cleanDeep } from '../render/clean.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { textForThisRoot } from '../root-command.ts';

export async function run(context: Context): Promise<number> {
  const { machine, output, options, words } = context;
  const [command = 'list', ...names] = words;
  if (command === 'clear') return clear(context, names);
  if (command !== 'list' || names.length > 0) {
    throw usageError(`quarantine knows \`list\` and \`clear MODULE...\`.`, 'quarantine');
  }
  // A list that cannot be read is no empty list.
  if (!maySeeState(machine)) {
    throw new KpmError('needs-root', {
      text: `What is in quarantine (${machine.root.show(QUARANTINE)}) can be read by root only.`,
      hint: 'Run: sudo kpatch-pm quarantine',
    });
  }
  const found = readQuarantine(machine.root, machine.uid);
  if (options.flag('json')) output.out(jsonText(quarantineJson(found)));
  else output.out(textForThisRoot(listText(found), options));
  return EXIT.done;
}

function listText(found: readonly QuarantinedModule[]): string {
  if (found.length === 0) return 'Nothing is in quarantine.\n';
  const lines = cleanDeep(found).flatMap(({ module, kernel, package: nevra, since, why }) => [
    `${module} (${kernel})`,
    `  package ${nevra ?? 'unknown'}, since ${since}`,
    `  ${why}`,
    `  to give it another chance: kpatch-pm quarantine clear ${module}`,
  ]);
  return `${lines.join('\n')}\n`;
}

async function clear({ machine, output, options, request, ui }: Context, names: readonly string[]): Promise<number> {
  if (names.length === 0) throw usageError('quarantine clear needs MODULE.', 'quarantine');
  const locked = await lockState(machine, openState(machine), {
    timeout: request.lockTimeout ?? 0,
    command: 'kpatch-pm quarantine clear',
  });
  try {
    await recover(machine, locked, ui);
    const all = readQuarantine(machine.root, machine.uid);
    const chosen = all.filter(({ module, file }) => names.includes(module) || names.includes(file));
    const stranger = names.find((name) => !all.some(({ module, file }) => module === name || file === name));
    if (stranger !== undefined) {
      throw new KpmError('no-match', {
        text: `${stranger} is not in quarantine.`,
        subject: stranger,
        hint: 'See: kpatch-pm quarantine list',
      });
    }
    const hashes = readReceipts(machine.root, machine.uid).flatMap(({ files }) => files.map(({ sha256 }) => sha256));
    const actions = chosen.map(({ kernel, module }) => aloneAction('clear-quarantine', kernel, module));
    const command = request.commandLine ?? 'quarantine clear';
    await recordAlone({ machine, locked, warn: ui.warn }, command, actions, async (record) => {
      for (const [n, entry] of chosen.entries()) {
        const back = await release(machine, locked.state, entry, hashes.includes(entry.sha256));
        writeAttempts(locked.state, withoutAttempt(readAttempts(machine.root, machine.uid), entry));
        record.done(n);
        const now = back
          ? 'It is loaded at the next boot, or by `kpatch-pm install`.'
          : 'Its file did not return, for another level is installed in its place or it was gone.';
        ui.note(`${entry.module} is out of quarantine. ${now}`);
      }
    });
    if (options.flag('json')) output.out(jsonText(quarantineJson(readQuarantine(machine.root, machine.uid))));
    return EXIT.done;
  } finally {
    locked.release();
  }
}

const quarantineJson = (modules: readonly QuarantinedModule[]): unknown => ({
  format: JSON_FORMAT,
  modules: modules.map(({ module, kernel, file, package: nevra, since, why }) => ({
    module,
    kernel,
    file,
    nevra,
    since,
    why,
  })),
  error: null,
});

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, modules: [], error: errorJson(error) };
}
