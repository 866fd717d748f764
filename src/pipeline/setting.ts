// Writing autoupdate or autofilter to kpatch.conf, as one step of a transaction.
import { createHash } from 'node:crypto';
import { runTransaction } from '../apply/install.ts';
import type { SettingAction } from '../domain/plan.ts';
import { editKpatchConf } from '../observe/config/kpatchconf.ts';
import type { Application } from './apply.ts';

/** Changes the one line of kpatch.conf; comments, order and spelling of everything else stay. */
export async function writeSetting(application: Application, setting: SettingAction['setting']): Promise<void> {
  const { observed, locked, ui } = application;
  const path = observed.kpatchConf.path;
  const text = observed.machine.root.readText(path);
  const edited = editKpatchConf(text, { [setting.name]: setting.value });
  const before = text === null ? null : createHash('sha256').update(text).digest('hex');
  const { notices } = await runTransaction(
    observed.machine,
    locked,
    [{ do: 'setting', path, before, text: edited, mode: 0o644 }],
    new Map(),
  );
  for (const notice of notices) ui.warn(notice.text);
}
