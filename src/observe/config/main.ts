// dnf.conf and dnf5's drop-ins: the [main] section in layers, and the repositories that stand beside it.
// Order (dnf5.conf(5), drop-in directories): drop-ins by name, those of /etc masking those of /usr; then dnf.conf.
import { KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';
import { dropIns, faultsText, type IniFile, readIniFile } from './files.ts';
import type { ConfigRequest } from './types.ts';
import { addSection, merged, type Remarks, type Settings } from './written.ts';

const DNF_CONF = 'etc/dnf/dnf.conf';
const DROP_INS = ['etc/dnf/libdnf5.conf.d', 'usr/share/dnf5/libdnf.conf.d'];

export interface MainFiles {
  readonly settings: Settings;
  /** The dnf.conf that was read (for its repositories); null where there is none. */
  readonly dnfConf: IniFile | null;
  /** Options under which no repository may be used. */
  readonly refused: readonly string[];
  /** When any of the files was last changed, ms since 1970; 0 where there is none. */
  readonly changed: number;
}

/** Reads [main] of all files. Raises `config-missing` when `-c FILE` does not exist. */
export function readMainFiles(root: Root, request: ConfigRequest, remarks: Remarks): MainFiles {
  const settings: Settings = new Map();
  const refused: string[] = [];
  let changed = 0;
  const take = (found: IniFile | null): void => {
    if (found === null) return;
    changed = Math.max(changed, found.changed);
    // What a strict reader would refuse is read as far as it can be: a lost line must not make anything weaker.
    if (found.document.faults.length > 0) {
      remarks.notices.push({ code: 'config-broken', text: `${faultsText(found)}; the other lines count.` });
    }
    for (const section of merged(found.document.sections)) {
      if (section.name === 'main' || section.name === '') {
        refused.push(...addSection(settings, section, 'main', found.file, remarks));
      }
    }
  };
  for (const path of dropIns(root, DROP_INS, '.conf', remarks)) take(readIniFile(root, path, remarks, true));
  const dnfConf = readDnfConf(root, request, remarks);
  take(dnfConf);
  return { settings, dnfConf, refused, changed };
}

function readDnfConf(root: Root, request: ConfigRequest, remarks: Remarks): IniFile | null {
  const asked = request.configFile;
  if (asked === undefined) return readIniFile(root, DNF_CONF, remarks, true);
  const path = asked.replace(/^file:\/\//, '');
  if (/^[a-z]+:\/\//i.test(path) || request.hostRoot.stat(path)?.isFile() !== true) {
    throw new KpmError('config-missing', {
      text: `The configuration file ${asked} ${/:\/\//.test(path) ? 'is not a file of this host' : 'does not exist'}.`,
      subject: asked,
      hint: 'Give an existing file with -c FILE; the path counts from the host.',
    });
  }
  return readIniFile(request.hostRoot, path, remarks, true);
}
