// The version of the program, put in by the build.
declare const KPATCH_PM_VERSION: string | undefined;

export const VERSION: string = typeof KPATCH_PM_VERSION === 'string' ? KPATCH_PM_VERSION : '0.0.0-source';
