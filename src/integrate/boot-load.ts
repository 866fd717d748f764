// Loading at boot: what is installed for the running kernel, where that is our business at all.
import { loadGuarded } from '../apply/guard.ts';
import { loadingForbidden } from '../apply/load/forbidden.ts';
import { loadModule } from '../apply/load/load.ts';
import { bootFiles, bootLoader } from '../decide/boot.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { InstalledPatch } from '../domain/livepatch.ts';
import { KpmError } from '../errors.ts';
import type { Machine, Ui } from '../host/machine.ts';
import { readConfig } from '../observe/config/config.ts';
import { installedUtility } from '../observe/system/utility.ts';
import { bootUnits } from '../pipeline/observe.ts';
import type { Request } from '../pipeline.ts';
import type { State } from '../state/directory.ts';
import { readReceipts } from '../state/receipts.ts';

/** Runs each part so that its failure is told and the next parts still happen. */
export class Parts {
  troubled = false;
  readonly #ui: Ui;

  constructor(ui: Ui) {
    this.#ui = ui;
  }

  async try<T>(act: () => Promise<T> | T, otherwise: T): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof KpmError) || error.code === 'internal') throw error;
      this.troubled = true;
      this.#ui.failure(error.message, error.hint);
      return otherwise;
    }
  }
}

/** Loads for the running kernel, where that is our business at all. */
export async function loadAtBoot(
  machine: Machine,
  request: Request,
  state: State | null,
  installed: readonly InstalledPatch[],
  parts: Parts,
  ui: Ui,
): Promise<string[]> {
  const { root, uname } = machine;
  const forbidden = loadingForbidden(machine);
  if (forbidden || uname === null) {
    ui.note(forbidden?.text ?? 'The release of the running kernel is not known.');
    return [];
  }
  const units = bootUnits(root).boot;
  const loader = bootLoader({ utility: 'absent', timer: 'absent', ...units, own: 'enabled' });
  if (loader.by === null) {
    ui.note(`Nothing is loaded: ${loader.why}.`);
    return [];
  }
  const kernel = uname as KernelRelease;
  const { load: files, refused } = bootFiles(kernel, { installed });
  for (const { file } of refused) {
    parts.troubled = true;
    ui.failure(`${root.show(file ?? '')} is not the file that was installed; it is not loaded.`, 'kpatch-pm install');
  }
  const { kpm } = readConfig(root, {
    ...request.config,
    hostRoot: machine.host,
    env: machine.env,
    arch: machine.arch,
    releaseOf: () => null,
  });
  const receipts = readReceipts(root, machine.uid, () => undefined).filter((one) => one.kernel === kernel);
  const utility = installedUtility(root, { how: 'none', path: null, packages: [], notices: [] });
  const loaded: string[] = [];
  for (const { file, module } of files) {
    if (file === null || module === null) continue;
    const name = file.slice(file.lastIndexOf('/') + 1);
    const known = receipts.flatMap((receipt) => receipt.files).find((one) => one.file === name);
    await parts.try(async () => {
      const wanted = {
        machine,
        kernel,
        file,
        module,
        sha256: known?.sha256 ?? null,
        loader: kpm.loader,
        utility,
        proof: 'later',
        onConflict: kpm.onConflict,
        times: { signal: kpm.stallSignal * 1000, giveUp: kpm.stallGiveUp * 1000 },
        ui,
      } as const;
      const result = await (state === null ? loadModule(wanted) : loadGuarded(state, wanted));
      for (const { text } of result.notices) ui.warn(text);
      loaded.push(module);
      ui.note(`${module} ${result.already ? 'was active already' : 'is active'} (enabled 1, transition 0).`);
    }, undefined);
  }
  return loaded;
}
