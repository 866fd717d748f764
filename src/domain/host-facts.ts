// What doctor looks at beside the World: the surroundings that kpatch-pm needs. Plain data; null: not known, or not looked at.
import type { Problem } from './because.ts';

export interface HostFacts {
  readonly node: {
    readonly version: string;
    /** The range that is needed, and whether the version is in it. */
    readonly needs: string;
    readonly meets: boolean;
    /** It brings its own OpenSSL in place of the system's. */
    readonly ownOpenssl: boolean;
  };
  readonly fips: boolean;
  /** Programs by name, and whether they are installed on the running system. */
  readonly programs: Readonly<Record<string, boolean>>;
  /** This user may read what kpatch-pm keeps. */
  readonly seesState: boolean;
  /** What is wrong with our directory, with the command that mends it. */
  readonly state: (Problem & { readonly mend: string | null }) | null;
  /** Whoever holds the lock, or died holding it. */
  readonly lock: {
    readonly pid: number;
    readonly command: string;
    readonly since: string;
    readonly alive: boolean;
  } | null;
  /** How many keys are trusted; null where that could not be found out. */
  readonly keys: number | null;
  /** Key files that enabled repositories name and that are there. */
  readonly keyFiles: readonly string[];
  /** Names of installed live patches that the rpm database does not know. */
  readonly unregistered: readonly string[];
  /** A person typed `auto` here. */
  readonly agreed: boolean | null;
  /** Of units: those of ours that failed; those of other live-patching services that start at boot. */
  readonly failedUnits: readonly string[];
  readonly otherServices: readonly string[];
  readonly kernel: KernelFacts | null;
  readonly selinux: 'off' | 'permissive' | 'enforcing';
  /** When the running kernel was built, ISO: the clock ought to be later. */
  readonly kernelBuilt: string | null;
  readonly placed: {
    /** /usr/bin/kpatch-pm, which units and hooks call. */
    readonly command: boolean;
    readonly kernelInstall: boolean;
    /** An rpm brought the program; null without an rpm database that can be read. */
    readonly byRpm: boolean | null;
    /** fapolicyd starts at boot: it lets run only what an rpm brought. */
    readonly fapolicyd: boolean;
  };
  readonly dnf: {
    /** Of dnf 4 and dnf 5: whether it is there, and whether its plug-in runs our action. */
    readonly four: { readonly there: boolean; readonly acts: boolean };
    readonly five: { readonly there: boolean; readonly acts: boolean };
    /** The plug-in of kpatch-dnf, which obeys autofilter and autoupdate. */
    readonly kpatch: boolean;
  };
  /** As rpm calls it. */
  readonly arch: string;
}

export interface KernelFacts {
  /** The running kernel can be live-patched. */
  readonly livepatch: boolean;
  /** It takes signed modules only, and which rule of it says so. */
  readonly signedOnly: string | null;
  /** The word on the command line that switches loading off. */
  readonly switchedOff: string | null;
}
