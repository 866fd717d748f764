// Reading one INI file of the configuration, and directories of them.
import { KpmError } from '../../errors.ts';
import { type IniDocument, parseIni } from '../../formats/ini/document.ts';
import type { Root } from '../../host/root.ts';
import type { Remarks } from './written.ts';

const MAX_FILE = 4 * 1024 * 1024;

export interface IniFile {
  readonly root: Root;
  /** As shown to people. */
  readonly file: string;
  readonly document: IniDocument;
  /** Milliseconds since 1970. */
  readonly changed: number;
}

/** A file; null where it is absent. A file that cannot be read is a notice, and null. */
export function readIniFile(root: Root, path: string, remarks: Remarks, lenient = false): IniFile | null {
  try {
    const text = root.readText(path, MAX_FILE);
    if (text === null) return null;
    const changed = root.stat(path)?.mtimeMs ?? 0;
    return { root, file: root.show(path), document: parseIni(text, { lenient }), changed };
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    remarks.notices.push({ code: error.code, text: error.message });
    return null;
  }
}

/** The paths of a directory's files with this ending, sorted; dot-files are passed over. */
export function filesIn(root: Root, directory: string, ending: string, remarks: Remarks): string[] {
  try {
    return root
      .list(directory)
      .filter((name) => name.endsWith(ending) && !name.startsWith('.'))
      .map((name) => `${directory.replace(/\/+$/, '')}/${name}`);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    remarks.notices.push({ code: error.code, text: error.message });
    return [];
  }
}

/** Files of several directories in the order of their names; the first directory's masks the same name of the others. */
export function dropIns(root: Root, directories: readonly string[], ending: string, remarks: Remarks): string[] {
  const byName = new Map<string, string>();
  for (const directory of directories) {
    for (const path of filesIn(root, directory, ending, remarks)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (!byName.has(name)) byName.set(name, path);
    }
  }
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** A file's faults in one sentence, for a notice. */
export function faultsText({ file, document }: IniFile): string {
  const [first, ...more] = document.faults;
  const rest = more.length > 0 ? ` (and ${more.length} more such line${more.length > 1 ? 's' : ''})` : '';
  return `${file} line ${first?.line ?? 0}: ${first?.text ?? 'unreadable'}${rest}`;
}
