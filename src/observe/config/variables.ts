// dnf's variables: environment, files, architecture, release. Source: dnf.conf(5) VARIABLES, dnf5.conf(5).
import type { Problem } from '../../domain/because.ts';
import { KpmError } from '../../errors.ts';
import { baseArch } from '../../host/arch.ts';
import type { Root } from '../../host/root.ts';

export interface Variables {
  /** The release is asked for when it is first read. */
  readonly values: Readonly<Record<string, string>>;
  /** Names whose value was refused, and why: what uses them fails. */
  readonly refused: ReadonlyMap<string, string>;
}

export interface Place {
  readonly root: Root;
  /** Relative to the root. */
  readonly path: string;
}

export interface VariablesRequest {
  readonly directories: readonly Place[];
  readonly root: Root;
  readonly hostRoot: Root;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--releasever`; '/' asks the host. */
  readonly releasever: string | null;
  readonly arch: string;
  readonly forcearch: string | null;
  readonly releaseOf: (root: Root) => string | null;
}

const MAX_VARIABLE = 4096;

/** Gathers them. Raises `setopt-invalid` for a release or architecture of the command line that cannot be. */
export function readVariables(request: VariablesRequest, notices: Problem[]): Variables {
  const values: Record<string, string> = Object.create(null);
  const refused = new Map<string, string>();
  const set = (name: string, value: string, origin: string): void => {
    const why = refusal(name, value);
    if (why === null) {
      values[name] = value;
      refused.delete(name);
    } else {
      delete values[name];
      refused.set(name, `${why} (${origin})`);
      notices.push({ code: 'config-variable', text: `The variable $${name} is refused: it ${why} (${origin}).` });
    }
  };
  for (const [name, value] of Object.entries(request.env)) {
    const variable = /^DNF\d$/.test(name) ? name : /^DNF_VAR_(\w+)$/.exec(name)?.[1];
    if (variable !== undefined && value !== undefined) set(variable, value, `environment ${name}`);
  }
  for (const place of request.directories) fromFiles(place, set, notices);
  architecture(request, set);
  release(request, values, refused, set);
  return { values, refused };
}

type Set = (name: string, value: string, origin: string) => void;

/** One file a variable, its first line the value; files that cannot be read are named. */
function fromFiles({ root, path }: Place, set: Set, notices: Problem[]): void {
  try {
    for (const name of root.list(path)) {
      const file = `${path}/${name}`;
      if (!/^\w+$/.test(name) || root.stat(file)?.isFile() !== true) continue;
      try {
        const line = root.readText(file, 1024 * 1024)?.split('\n', 1)[0] ?? '';
        set(name, line.replace(/\r$/, ''), root.show(file));
      } catch (error) {
        if (!(error instanceof KpmError)) throw error;
        notices.push({ code: error.code, text: `A variable is not read: ${error.reason}` });
      }
    }
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    notices.push({ code: error.code, text: `Variables are not read: ${error.reason}` });
  }
}

function refusal(name: string, value: string): string | null {
  if (/[\x00-\x1f\x7f]/.test(value)) return 'holds a control character';
  if (value.length > MAX_VARIABLE) return 'is too long';
  if (/^releasever/.test(name) && /\/|^\.\.?$/.test(value)) return 'is a path';
  return null;
}

function architecture(request: VariablesRequest, set: Set): void {
  const arch = request.forcearch ?? request.arch;
  const base = baseArch(arch);
  if (base === null && request.forcearch !== null) {
    throw new KpmError('setopt-invalid', {
      text: `The architecture ${JSON.stringify(arch)} is not known.`,
      subject: arch,
      hint: 'Use a name such as x86_64, aarch64, ppc64le or s390x.',
    });
  }
  set('arch', arch, 'this machine');
  set('basearch', base ?? arch, 'this machine');
}

function release(
  request: VariablesRequest,
  values: Record<string, string>,
  refused: ReadonlyMap<string, string>,
  set: Set,
): void {
  const asked = request.releasever;
  if (asked !== null && asked !== '/') {
    const why = refusal('releasever', asked);
    if (why !== null || asked === '') {
      throw new KpmError('setopt-invalid', {
        text: `The release ${JSON.stringify(asked)} cannot be used: it ${why ?? 'is empty'}.`,
        subject: asked,
        hint: 'Use a release such as --releasever 9.4.',
      });
    }
    set('releasever', asked, '--releasever');
  } else if (asked === '/' || (values.releasever === undefined && !refused.has('releasever'))) {
    const root = asked === '/' ? request.hostRoot : request.root;
    const before = values.releasever;
    whenAsked(values, 'releasever', () => {
      const found = request.releaseOf(root) ?? versionId(root) ?? before;
      delete values.releasever;
      if (found !== undefined) set('releasever', found, 'the release of the distribution');
      return values.releasever;
    });
  }
  // The parts of it, where no file gives them.
  const parts: Readonly<Record<string, (whole: string) => string | undefined>> = {
    releasever_major: (whole) => whole.split('.', 1)[0],
    releasever_minor: (whole) => whole.split('.').slice(1).join('.'),
  };
  for (const [name, part] of Object.entries(parts)) {
    if (Object.hasOwn(values, name) || !Object.hasOwn(values, 'releasever')) continue;
    whenAsked(values, name, () => {
      const whole = values.releasever;
      delete values[name];
      if (whole !== undefined) set(name, part(whole) ?? '', '$releasever');
      return values[name];
    });
  }
}

/** A variable whose value is found when something needs it: it may take long. `find` leaves the value behind, or nothing. */
function whenAsked(values: Record<string, string>, name: string, find: () => string | undefined): void {
  Object.defineProperty(values, name, { get: find, configurable: true, enumerable: true });
}

/** VERSION_ID of os-release(5). */
function versionId(root: Root): string | null {
  const text = root.readText('etc/os-release', 65536) ?? root.readText('usr/lib/os-release', 65536) ?? '';
  const found = /^[ \t]*VERSION_ID=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'#]*))[ \t]*\r?$/m.exec(text);
  return found?.[1] || found?.[2] || found?.[3] || null;
}
