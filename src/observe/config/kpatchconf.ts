// kpatch.conf of a root: the settings that dnf, Cockpit and we share (docs: kpatch.conf, section [main]).
import type { Problem } from '../../domain/because.ts';
import { readKpatchValues } from '../../formats/ini/kpatchconf.ts';
import type { Root } from '../../host/root.ts';

export { editKpatchConf } from '../../formats/ini/kpatchconf.ts';

export interface KpatchConf {
  readonly autoupdate: boolean;
  readonly autofilter: boolean;
  /** As shown to people; null when there is none (both settings are off then). */
  readonly file: string | null;
  /** Relative to the root: where it lies, or where it is to be made. */
  readonly path: string;
  readonly notices: readonly Problem[];
}

const NAME = 'kpatch.conf';

/**
 * Reads the settings from the first of `directories` (pluginconfpath) that has the file.
 * Raises `file-unreadable` and `path-escape`; what the file says never raises: an odd line is a notice, an odd value is off.
 */
export function readKpatchConf(root: Root, directories: readonly string[] = ['etc/dnf/plugins']): KpatchConf {
  const paths = directories.map((directory) => `${directory.replace(/^\/+|\/+$/g, '')}/${NAME}`);
  for (const path of paths) {
    const bytes = root.read(path, 1024 * 1024);
    if (bytes === null) continue;
    const { autoupdate, autofilter, remarks } = readKpatchValues(bytes.toString('latin1'));
    const file = root.show(path);
    const notices = remarks.map(({ line, text }) => ({
      code: 'kpatch-conf-odd',
      text: `${file} line ${line}: ${text}.`,
    }));
    return { autoupdate, autofilter, file, path, notices };
  }
  const path = paths[0] ?? `etc/dnf/plugins/${NAME}`;
  return { autoupdate: false, autofilter: false, file: null, path, notices: [] };
}
