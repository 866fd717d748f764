// The layers between a repository and the running kernel, as `verify` compares them.

/** In the order of comparison: what comes first is needed by what comes after. */
export const LAYERS = {
  repository: 'what repositories offer, and whether that is known and fresh',
  rpmdb: 'what the rpm database says is installed',
  receipt: 'our own record of the installation',
  file: 'the module file below /var/lib/kpatch',
  label: 'the SELinux label of the module file',
  boot: 'what loads the module at the next boot',
  kernel: 'what sysfs says the running kernel runs',
  functions: 'whether the patched functions are really redirected',
} as const;

export type LayerName = keyof typeof LAYERS;

/** `skipped`: it does not apply here, and its absence proves nothing either way. */
export type LayerState = 'ok' | 'broken' | 'unknown' | 'skipped';

export interface Layer {
  readonly name: LayerName;
  readonly state: LayerState;
  readonly text: string;
  /** The command that mends it; null where there is none, or nothing to mend. */
  readonly mend: string | null;
}

/** What the running kernel shows of one module's functions. */
export interface FunctionProof {
  /** Functions the module file says it replaces in the kernel itself. */
  readonly expected: number;
  /** Of these, the ones sysfs does not list below the patch. */
  readonly missing: readonly string[];
  /** Of these, the ones the function tracer does not list as redirected; null where it cannot be read. */
  readonly unhooked: readonly string[] | null;
}

/** What only `verify` looks at. Absent values: not known. */
export interface Inspected {
  /** How the rpm database was read. */
  readonly rpmdb: 'rpm' | 'parser' | 'none';
  /** Names and versions the rpm database has, `name-version-release.arch`. */
  readonly registered: readonly string[];
  readonly receipts: readonly {
    readonly kernel: string;
    readonly nevra: string;
    readonly registered: boolean;
    readonly signer: string | null;
    readonly when: string;
  }[];
  /** Why receipts could not be read, if any could not; `hidden`: only root may. */
  readonly unread?: readonly { readonly hidden: boolean; readonly text: string }[];
  /** Labels by file below the root (`...:modules_object_t:...`); null where SELinux is off. */
  readonly labels: ReadonlyMap<string, string | null> | null;
  /** A kernel parameter that switches loading off; null when there is none. */
  readonly switchedOff: string | null;
  /** By module name. */
  readonly functions: ReadonlyMap<string, FunctionProof>;
}
