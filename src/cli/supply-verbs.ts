// Verbs that carry live patches to where they are needed: into an archive, into a repository. Part of the table in verbs.ts.
import type { VerbSpec } from './verb-spec.ts';

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
  {
    name: 'publish',
    aliases: [],
    takes: '[MODULE.ko]',
    spelling: { '--version': '--patch-version', '--repo': '--into' },
    noDryRun: true,
    summary: "Publish a live patch of your own in a repository, in the form of the vendor's packages",
    about: [
      "Makes the package around a module that kpatch-build or klp-build made, signs it, and puts it with its advisory into the repository DIR, whose metadata it makes anew and signs. dnf, rpm, the kpatch utility and kpatch-pm take such packages as they take the vendor's; `status` and `info` call them your own. rpmbuild, rpmsign, createrepo_c and gpg do the work.",
      'The module must be a live patch for --kernel and bear the name of its level, which kpatch-build -n gives it (kpatch-5_14_0-427_13_1-1-3 for version 1, release 3); the message says which. Levels only go up, and each takes the place of the one before: build them cumulative. The changelog of the levels before is carried on.',
      '--empty makes the package that only subscribes a kernel, so that patches to come are taken as updates. --sign-module KEY [CERT] signs the module for Secure Boot.',
    ],
    examples: [
      {
        command:
          'kpatch-pm publish kpatch-5_14_0-427_13_1-1-3.ko --kernel 5.14.0-427.13.1.el9_4.x86_64 --version 1 --release 3 --sign ops@example.com --repo /srv/live --cve CVE-2024-1086',
        what: 'a level that fixes a CVE',
      },
      {
        command:
          'kpatch-pm publish --empty --kernel 5.14.0-427.13.1.el9_4.x86_64 --sign ops@example.com --repo /srv/live',
        what: 'only subscribe the kernel',
      },
    ],
  },
] as const satisfies readonly VerbSpec[];
