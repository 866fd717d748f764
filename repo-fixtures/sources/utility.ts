// The kpatch utility and the packages around it.
import type { PackageSource, Payload } from '../builder/source.ts';

/** The utility, as far as dependencies and the owner of /var/lib/kpatch matter; its program only says that it is a fixture. */
export function utility(version: string, release: string, payload: Payload): PackageSource {
  return {
    why: `what \`Requires: kpatch >= 0.6.1-1\` asks for; owns /var/lib/kpatch`,
    name: 'kpatch',
    version,
    release,
    arch: 'noarch',
    summary: 'Fixture of the kpatch utility',
    files: [
      {
        path: '/usr/sbin/kpatch',
        mode: 0o755,
        content: `#!/bin/sh\n[ "$1" = version ] && { echo ${version}; exit 0; }\necho "kpatch: test fixture" >&2\nexit 1\n`,
      },
      { path: '/var/lib/kpatch', kind: 'directory' },
    ],
    payload,
    signing: { key: 'release' },
  };
}

/** Other names that begin like a live patch or like the utility, and are neither. */
export function bystanders(payload: Payload): PackageSource[] {
  return ['kpatch-build', 'kpatch-dnf', 'kpatch-patches-doc'].map((name) => ({
    why: 'its name begins like a live patch; it is none',
    name,
    version: '0.9.7_0.4',
    release: '2.el9',
    arch: 'noarch',
    summary: `Fixture of ${name}`,
    payload,
    signing: { key: 'release' },
  }));
}
