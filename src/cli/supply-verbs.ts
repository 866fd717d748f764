// Verbs that carry live patches to where they are needed: into an archive, into a repository. Part of the table in verbs.ts.
import type { VerbSpec } from './verbs.ts';

export const SUPPLY_VERBS = [
  {
    name: 'bundle',
    aliases: [],
    takes: 'create | verify FILE | install FILE',
    least: 1,
    summary: 'Carry live patches to machines without a network: make, check and install one archive',
    about: [
      'create: for each kernel of --kernel, which need not be installed here, the newest usable level (--all-levels: every one), with the metadata, the keys that signed them and the advisories about them, goes into one tar archive (-o FILE). The same content gives the same bytes. With --sign KEY, gpg signs its manifest. Every package is verified while the bundle is made.',
      'verify: whether every file has the digest the manifest says and nothing else is in it, whether each package is signed by its vendor, and who signed the bundle. With --key FILE it must be signed by a key of that file. Needs no root. Exit status: 0 when all is well, else 1.',
      'install: what fits the installed kernels, as `install` would from a repository, with the same table, question, pins and consent, and without a network. A bundle signed by a key that is not known is asked about; after that unsigned bundles and older ones are refused.',
      'Unpacked, a bundle is a repository: baseurl=file:///... serves dnf and kpatch-pm alike.',
    ],
    examples: [
      {
        command: 'kpatch-pm bundle create --kernel 5.14.0-427.13.1.el9_4.x86_64 -o patches.tar --sign ops@example.com',
        what: 'on a machine with a network',
      },
      { command: 'kpatch-pm bundle verify --key ops.asc patches.tar', what: 'is it what ops made?' },
      { command: 'kpatch-pm bundle install patches.tar', what: 'on the machine without one' },
    ],
  },
] as const satisfies readonly VerbSpec[];
