// Writing autoupdate or autofilter to kpatch.conf, as one step of a transaction.
import { settingStep } from '../apply/transactions.ts';
import type { SettingAction } from '../domain/plan.ts';
import { editKpatchConf } from '../observe/config/kpatchconf.ts';
import type { Application } from './application.ts';
import { transact } from './install.ts';

/** Changes the one line of kpatch.conf; comments, order and spelling of everything else stay. Raises when it was edited meanwhile. */
export async function writeSetting(application: Application, setting: SettingAction['setting']): Promise<void> {
  const { machine, kpatchConf } = application.observed;
  const path = kpatchConf.path;
  const before = machine.root.read(path)?.toString('latin1') ?? null;
  const after = editKpatchConf(before, { [setting.name]: setting.value });
  await transact(application, { steps: [settingStep(path, before, after)], blobs: new Map() });
}
