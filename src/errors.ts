// Every failure a user can meet: one class, one closed table. docs/errors.md is written from this table.

/** Exit statuses of contract section 3. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  cannotTell: 3,
  notYet: 4,
  updatesAvailable: 100,
  locked: 200,
} as const;

interface CodeEntry {
  /** What went wrong, in general terms (for docs/errors.md). */
  readonly meaning: string;
  /** What a person can do about it, in general terms. */
  readonly next: string;
  /** Exit status when this error ends the program; 1 unless said. */
  readonly exit?: number;
}

/** The closed list of error codes. A code never changes its meaning; new ones are added under their area. */
export const ERROR_CODES = {
  // ---- use of the program
  usage: {
    meaning: 'The command line is not one the program knows.',
    next: 'See `kpatch-pm --help`.',
    exit: EXIT.usage,
  },
  'needs-root': {
    meaning: 'The verb changes the machine and the user may not.',
    next: 'Run it as root (sudo); where --dry-run needs no root, the message says so.',
  },
  aborted: {
    meaning: 'The question was answered no or could not be asked, or a signal came before anything was changed.',
    next: 'Answer y, or run with -y.',
  },
  interrupted: {
    meaning: 'A signal ended the run after something was changed.',
    next: 'Run the same command again: what was begun is finished, the rest is done.',
  },
  locked: {
    meaning: 'Another run holds the lock of this root, or publishes into the same repository.',
    next: 'Wait, or use --lock-timeout.',
    exit: EXIT.locked,
  },
  'package-renamed': {
    meaning: 'The package file is not the one the metadata names.',
    next: 'Refresh the metadata; tell the owner of the repository.',
  },
  'kernel-not-installed': {
    meaning: 'A kernel named by --kernel is not installed.',
    next: 'See `kpatch-pm kernels`.',
  },
  'no-match': {
    meaning: 'What was named is neither on offer nor installed, or not for a kernel that is installed.',
    next: 'See `kpatch-pm list` and `kpatch-pm kernels`.',
  },
  'nothing-usable': {
    meaning: 'What was named is on offer, but every level of it is refused.',
    next: 'Look at the reasons: the same command with --dry-run.',
  },
  'fips-own-openssl': {
    meaning:
      "The system is in FIPS mode, and the node that runs kpatch-pm brings its own OpenSSL in place of the system's validated one.",
    next: "Use the distribution's nodejs with the package kpatch-pm: `dnf swap kpatch-pm-selfcontained kpatch-pm`.",
  },
  'no-record': {
    meaning: 'The history has no transaction of that number.',
    next: 'See `kpatch-pm history list`.',
  },
  'undo-impossible': {
    meaning: 'A transaction cannot be undone: a level is not to be had any more, or things changed since.',
    next: 'Undo what came later first, or name the level you want with `kpatch-pm install`.',
  },
  internal: { meaning: 'A fault of kpatch-pm itself.', next: 'Report it with the command and the -v output.' },
  // ---- files and the machine
  'path-escape': { meaning: 'A path leaves the root it belongs to.', next: 'Look at the link or name that is shown.' },
  'file-unreadable': { meaning: 'A file could not be read.', next: 'Check that it exists and who may read it.' },
  'file-unwritable': {
    meaning: 'A file could not be written.',
    next: 'Check space, permissions and whether the file system is read-only.',
  },
  'no-space': {
    meaning: 'The file system is full, or the needed bytes exceed what is free.',
    next: 'Free space and run the same command again.',
  },
  'read-only': {
    meaning: 'The file system is mounted read-only.',
    next: 'Remount it writable and run the same command again.',
  },
  'program-missing': {
    meaning: 'A program of the distribution is needed and absent.',
    next: 'Install the package that brings it.',
  },
  'program-failed': {
    meaning: 'An external program failed, was killed or took too long.',
    next: 'Run the command that is shown by hand.',
  },
  'program-stuck': {
    meaning: 'An external program hangs in the kernel: it was killed and does not end.',
    next: 'Look at the kernel log (dmesg); only a reboot ends it.',
  },
  // ---- modules, state, transactions
  'not-a-module': {
    meaning: 'A file is no kernel module, is damaged, or contradicts itself.',
    next: 'Do not install it; report it to whoever published it.',
  },
  'module-wrong-kernel': {
    meaning: 'A module, or the package that holds it, is for another kernel than the one it was chosen for.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'module-not-livepatch': {
    meaning: 'A module of a live-patch package does not declare itself a live patch.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'module-wrong-arch': {
    meaning: 'A module is code for another architecture than its package.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'module-misplaced': {
    meaning: 'A package holds a module outside the directory of the kernel it claims.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'module-missing': {
    meaning: 'A package has the directories of a live patch and no module in them.',
    next: 'Report it to whoever published the package.',
  },
  'module-name': {
    meaning: 'A module is not named after its file, is compressed, or shares its name with another one.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'module-exists': {
    meaning: 'A module file that was named shares its name with one that is installed and holds other bytes.',
    next: 'Take the installed one away with `kpatch-pm module uninstall`, or build yours under another name.',
  },
  'package-file-refused': {
    meaning: 'A live-patch package holds something else than modules: a link, a device, a setuid or foreign file.',
    next: 'Do not install it; report it to whoever published the package.',
  },
  'state-unsafe': {
    meaning:
      "kpatch-pm's own directory (or one above it) belongs to somebody else, is writable by others, or is a link.",
    next: 'Find out who changed it; then restore owner and mode as the message says.',
  },
  'state-damaged': {
    meaning: "A file of kpatch-pm's own state cannot be read as what it should be.",
    next: 'Move the file away and run the same command again.',
  },
  'state-newer': {
    meaning: "A file of kpatch-pm's own state was written by a newer version.",
    next: 'Use that version, or update kpatch-pm.',
  },
  'blob-missing': {
    meaning: 'A transaction cannot go on because the bytes it staged are gone or changed.',
    next: 'Run the same command again; it fetches the package anew.',
  },
  'setting-changed': {
    meaning: 'A configuration file was changed by somebody else while it was being edited.',
    next: 'Run the same command again.',
  },
  'not-registered': {
    meaning:
      'The rpm database could not be told of a package, or still names one that is gone; scanners will see it so.',
    next: 'Read why in the message; install the kpatch package if it is missing.',
  },
  'label-failed': {
    meaning: 'A module file did not get its SELinux label.',
    next: 'Run `restorecon -v` or `chcon -t modules_object_t` on the file that is named.',
  },
  'rpmdb-missing': {
    meaning: 'The root has no rpm database; installed kernels are taken from /lib/modules.',
    next: 'Nothing, unless the root should have one.',
  },
  'rpmdb-unreadable': {
    meaning: 'The rpm database is there and cannot be read.',
    next: 'Run `rpm --rebuilddb`, or restore the database.',
  },
  // ---- packages, archives, compressed streams
  'not-rpm': {
    meaning: 'A file that should be an RPM package is something else.',
    next: 'Look at its first lines: a mirror may have sent an error page.',
  },
  'rpm-malformed': {
    meaning: 'An RPM package breaks the format: damaged or forged.',
    next: 'Fetch it again (--refresh); tell whoever publishes it.',
  },
  'rpm-unsupported': {
    meaning: 'An RPM package uses a feature of the format that this version does not know.',
    next: 'Update kpatch-pm, or install the package with rpm.',
  },
  'corrupt-stream': {
    meaning: 'Compressed data is damaged or ends too early.',
    next: 'Fetch the file again (--refresh).',
  },
  'compression-unsupported': {
    meaning: 'Data is compressed in a way that this version cannot read.',
    next: 'Publish it as gzip, xz or zstd.',
  },
  'too-large': {
    meaning: 'Data is larger than declared, or than what is sensible.',
    next: 'Do not trust the file; tell whoever publishes it.',
  },
  'decompression-bomb': {
    meaning: 'Compressed data unpacks to a suspicious multiple of its size.',
    next: 'Do not trust the file; tell whoever publishes it.',
  },
  'too-many-entries': {
    meaning: 'A package lists more files than is sensible.',
    next: 'Do not trust the file; tell whoever publishes it.',
  },
  'payload-malformed': {
    meaning: 'The archive inside a package breaks its format.',
    next: 'Fetch the package again.',
  },
  'payload-path': {
    meaning: 'A package holds a file whose path is unsafe (.., absolute inside the archive, control characters).',
    next: 'Do not trust the package; tell whoever publishes it.',
  },
  'payload-duplicate': {
    meaning: 'A package holds one path twice.',
    next: 'Do not trust the package; tell whoever publishes it.',
  },
  'payload-extra': {
    meaning: 'The archive inside a package holds a file that its header does not list.',
    next: 'Do not trust the package; tell whoever publishes it.',
  },
  'payload-missing': {
    meaning: 'The archive inside a package lacks a file that its header lists.',
    next: 'Fetch the package again.',
  },
  'payload-mismatch': {
    meaning: 'A file inside a package has another size, mode or target than the header says.',
    next: 'Do not trust the package; tell whoever publishes it.',
  },
  'payload-digest': {
    meaning: 'The content of a package, or of a file in it, does not match the digest in its header.',
    next: 'Fetch the package again.',
  },
  // ---- network
  'url-refused': {
    meaning: 'A URL cannot be read, or is of a kind that is not supported.',
    next: 'Use http:, https: or file: in baseurl, mirrorlist, metalink and gpgkey.',
  },
  'net-unreachable': {
    meaning: 'A server or file cannot be reached.',
    next: 'Check network, name service, proxy and the URL.',
  },
  'net-offline': {
    meaning: 'Something is not in the cache and the run was told not to use the network.',
    next: 'Run it again with the network.',
  },
  'net-timeout': {
    meaning: 'A server did not answer in time, or sends too slowly.',
    next: 'Try again; see timeout= and minrate= of the repository.',
  },
  'net-cut': { meaning: 'A transfer ended before its end.', next: 'Try again; the server or a proxy may be broken.' },
  'http-status': {
    meaning: 'A server answered with an HTTP status that is no success.',
    next: 'Check the URL and $releasever of the repository.',
  },
  'http-forbidden': {
    meaning: 'A server refused access (HTTP 401 or 403).',
    next: 'Check the entitlement certificate or the user name of the repository.',
  },
  'tls-untrusted': {
    meaning: 'The certificate of a server is not trusted.',
    next: 'Check the clock, the certificate store of the host and sslcacert=.',
  },
  'tls-failed': {
    meaning: 'No secure connection could be made.',
    next: 'The server may want a client certificate, or speaks another TLS version.',
  },
  'tls-material': {
    meaning: 'A certificate or key file is missing, unreadable or broken.',
    next: 'Check sslcacert=, sslclientcert= and sslclientkey= of the repository.',
  },
  'proxy-failed': {
    meaning: 'A proxy refused the request, or is of a kind that is not supported.',
    next: 'Check proxy= and its user and password, or the *_proxy variables.',
  },
  'redirect-refused': {
    meaning: 'A server redirects in a circle, or from https to plain http.',
    next: 'Use the final URL in the repository file.',
  },
  'option-unsupported': {
    meaning: 'An option asks for a check that cannot be done here; going on would be weaker than asked.',
    next: 'Leave the option unset for that repository, or disable the repository.',
  },
  // ---- repositories
  'repo-misconfigured': {
    meaning: 'A repository is enabled and its settings cannot be used.',
    next: 'Correct the file and line that are named, or disable the repository.',
  },
  'repo-unavailable': {
    meaning: 'No mirror of a repository gave what was needed.',
    next: 'See the cause; skip_if_unavailable=1 or --disablerepo goes on without it.',
  },
  'repomd-malformed': {
    meaning: 'repomd.xml is not well-formed, or not what it should be.',
    next: 'Tell whoever runs the repository; a proxy may have put its own page there.',
  },
  'updateinfo-malformed': {
    meaning: 'The list of advisories (updateinfo.xml) cannot be read.',
    next: 'Tell whoever runs the repository; everything but advisories works without it.',
  },
  'primary-malformed': {
    meaning: 'The list of packages of a repository is not well-formed.',
    next: 'Tell whoever runs the repository.',
  },
  'metadata-mismatch': {
    meaning: 'Metadata is not what repomd.xml or the metalink promises (checksum or size).',
    next: 'Try again with --refresh; the mirror may be in the middle of an update, or damaged.',
  },
  'metadata-unsupported': {
    meaning: 'The list of packages exists only in forms that cannot be read (zchunk, sqlite).',
    next: 'Ask for a repository with an ordinary primary.xml (createrepo_c writes one by default).',
  },
  'checksum-refused': {
    meaning: 'A checksum is of a kind that is not safe any more (md5, sha1), or unknown.',
    next: 'Have the metadata made again with sha256 (createrepo_c --checksum sha256).',
  },
  'href-refused': {
    meaning: 'A location in metadata leaves its repository.',
    next: 'Tell whoever runs the repository; nothing was fetched from there.',
  },
  'metalink-malformed': {
    meaning: 'A metalink or mirror list cannot be used.',
    next: 'Check metalink= and mirrorlist= of the repository.',
  },
  'cache-missing': {
    meaning:
      'The run does not use the network (-C, or a verb that answers from the cache), and the cache holds nothing usable of a repository.',
    next: 'Run kpatch-pm makecache.',
  },
  'repo-unsigned': {
    meaning: 'repo_gpgcheck is on and the metadata has no signature.',
    next: 'Ask for a signed repository, or set repo_gpgcheck=0 for it.',
  },
  'repo-signature-bad': {
    meaning: 'The signature of the metadata does not fit it.',
    next: 'Do not use the repository before its owner has explained it.',
  },
  'repo-key-untrusted': {
    meaning: 'The metadata is signed by a key that is not trusted for this repository.',
    next: 'Check the fingerprint and accept the key (gpgkey=, -y).',
  },
  'repo-older': {
    meaning: 'Signed metadata is older than what was seen before.',
    next: 'Try another mirror, or use --allow-older-metadata when the change is wanted.',
  },
  'package-mismatch': {
    meaning:
      'A package file is not what the metadata promises (checksum or size), or, named by its path, not what it was a moment before.',
    next: 'Try again with --refresh.',
  },
  // ---- signatures and keys
  'openpgp-malformed': {
    meaning: 'A signature or a key file is not well-formed OpenPGP.',
    next: 'Fetch it again; a key file must be the public key as its owner publishes it.',
  },
  'package-unsigned': {
    meaning: 'The package carries no signature.',
    next: 'Take the package from the vendor; unsigned ones are installed only with --nogpgcheck.',
  },
  'payload-unsigned': {
    meaning: 'A good signature covers the header of the package, but nothing signed covers its content.',
    next: 'Take the package from the vendor; it was signed in a way that does not protect its files.',
  },
  'signature-bad': {
    meaning: 'A signature of the package does not fit its bytes, or may not be believed.',
    next: 'Do not install it; fetch it again, and tell the repository owner if it happens twice.',
  },
  'signature-weak': {
    meaning: 'The only signatures use algorithms that can be forged (MD5, SHA-1, keys below 2048 bits).',
    next: 'Ask the vendor for a package with a stronger signature.',
  },
  'signature-unsupported': {
    meaning: 'The only signatures use algorithms or versions that cannot be checked here.',
    next: 'Update kpatch-pm; check what the host forbids (crypto-policies, FIPS mode).',
  },
  'key-untrusted': {
    meaning: 'The package is signed, but not by a key this machine trusts.',
    next: 'Import the key if you trust its owner: kpatch-pm keys import FILE.',
  },
  'key-expired': {
    meaning: 'The signature was made after its key had expired.',
    next: 'Import the newest form of the key; its owner may have extended it.',
  },
  'key-revoked': {
    meaning: 'The key that made the signature was revoked by its owner.',
    next: 'Do not install it; import the key that took its place.',
  },
  'key-not-pinned': {
    meaning: 'The package is signed by a trusted key, but other keys are pinned for its live-patch stream.',
    next: 'If the vendor changed its key, pin the new one: kpatch-pm keys pin STREAM FINGERPRINT.',
  },
  'key-refused': {
    meaning: 'The key may not be used on this machine (a published test key).',
    next: 'Use the key of the vendor; test keys work only below another root.',
  },
  'key-missing': {
    meaning: 'A key that is named or pinned is not among the trusted ones.',
    next: 'See `kpatch-pm keys list`; import it with kpatch-pm keys import FILE-OR-URL.',
  },
  'pins-written': {
    meaning: 'The pins of a stream are written in kpatch-pm.conf, so the command line does not change them.',
    next: 'Change the section [pins] of the file that is named.',
  },
  'key-expiring': {
    meaning: 'The last key that may sign live patches for this machine expires soon, or has expired.',
    next: "Import the key's newest form, or the vendor's next key: kpatch-pm keys import FILE-OR-URL.",
  },
  'digest-bad': {
    meaning: 'A digest inside the package does not fit its bytes: it is damaged or was changed.',
    next: 'Fetch it again.',
  },
  // ---- the running kernel
  'probe-conflict': {
    meaning: 'A probe hangs on a function that the live patch replaces, and on_conflict=refuse is set.',
    next: 'Remove the probe that is named (tracing, SystemTap, BPF), or set on_conflict=warn.',
  },
  quarantined: {
    meaning: 'A module was taken out of use because the machine crashed while it was being loaded.',
    next: 'Take a newer level, or run `kpatch-pm quarantine clear MODULE`.',
  },
  'loading-forbidden': {
    meaning:
      'This is no place to load modules: another root, a container or sandbox, a kdump kernel, a system upgrade, or switched off.',
    next: 'Load it on the machine itself, or at its next boot.',
  },
  'kernel-mismatch': {
    meaning: 'The module is for another kernel release than the one that runs or was named.',
    next: 'Boot the kernel it was built for, or install the live patch of the running one.',
  },
  'module-changed': {
    meaning: 'The module file is missing, or its bytes are not those that were verified.',
    next: 'Install the package again.',
  },
  'module-differs': {
    meaning: 'The kernel runs a module of that name which was built from other bytes than the file.',
    next: 'Reboot, so that the kernel loads the file.',
  },
  'no-livepatch-support': {
    meaning: 'The running kernel cannot be live-patched.',
    next: 'Boot a kernel of the distribution that supports live patches.',
  },
  'not-a-livepatch': {
    meaning: 'The file is an ordinary kernel module, which patches nothing.',
    next: 'Reinstall the package the file should come from.',
  },
  'newer-active': {
    meaning: 'A higher level is active in the kernel; a lower one would silently replace it.',
    next: 'Reboot to go back to a lower level.',
  },
  'load-refused-format': {
    meaning: 'The kernel does not accept the form of the module.',
    next: 'Reinstall the package; check that it is for this kernel.',
  },
  'load-refused-symbol': {
    meaning: 'The module needs or replaces a function this kernel does not have in that form.',
    next: 'Use a module built for exactly this kernel.',
  },
  'load-refused-signature': {
    meaning: 'The kernel does not trust the signature of the module.',
    next: 'Use a module signed by a key of the kernel, or enrol the key.',
  },
  'signer-not-in-kernel': {
    meaning:
      'The running kernel takes signed modules only, and none of its keys signed this one. Nothing was installed.',
    next: 'Use a module signed by a key of the kernel, or enrol the key and reboot.',
  },
  'load-refused-lockdown': {
    meaning: 'The kernel is locked down (Secure Boot) and does not permit the module.',
    next: 'Use a module signed by a key of the kernel.',
  },
  'load-refused-selinux': {
    meaning: 'SELinux does not let this program load modules.',
    next: 'Load it through kpatch.service.',
  },
  'load-refused-init': {
    meaning: 'The module gave up while it started.',
    next: 'See the kernel log, and report it to whoever built the live patch.',
  },
  'modules-disabled': {
    meaning: 'The kernel takes no more modules until it is booted again.',
    next: 'Load live patches before kernel.modules_disabled is set.',
  },
  'load-stuck': {
    meaning:
      'The kernel does not come back from loading or unloading a module; the program that asked it cannot be ended.',
    next: 'Look at the kernel log, and reboot.',
  },
  'transition-busy': {
    meaning: 'Another live patch is being applied or removed; the kernel does one at a time.',
    next: 'Wait until it is done and run the same command again.',
  },
  'transition-stalled': {
    meaning: 'Some tasks never left the code that is to be replaced.',
    next: 'Stop or restart the tasks that are named and run the same command again, or reboot.',
  },
  'load-undone': {
    meaning: 'The live patch was disabled by somebody else while it was being loaded.',
    next: 'Find out what disabled it and run the same command again.',
  },
  'module-in-use': {
    meaning: 'A module of that name is in the kernel and cannot be taken out.',
    next: 'Reboot to get rid of it.',
  },
  'not-loaded': { meaning: 'The module is not in the kernel.', next: 'See what is loaded with kpatch-pm status.' },
  // ---- configuration
  'config-missing': {
    meaning: 'A configuration file named on the command line does not exist.',
    next: 'Check the path; it counts from the host, also with --installroot.',
  },
  'config-broken': {
    meaning: 'A configuration file has lines that cannot be read.',
    next: 'Look at the file and line that are named.',
  },
  'config-value': {
    meaning: 'The value of a configuration option cannot be read or is refused.',
    next: 'Look at the file and line that are named.',
  },
  'config-option': {
    meaning: 'A configuration option is not known.',
    next: 'Check its spelling in docs/repositories.md.',
  },
  'config-variable': {
    meaning: 'A variable is missing, refused, or expands to something that is too long or holds control characters.',
    next: 'Set it in /etc/dnf/vars, or use --releasever.',
  },
  'setopt-invalid': {
    meaning: 'A --setopt, --repofrompath, --releasever or --forcearch cannot be used as given.',
    next: 'See `kpatch-pm --help`.',
    exit: EXIT.usage,
  },
  'repo-unknown': {
    meaning: 'A repository named on the command line is not configured.',
    next: 'See `kpatch-pm repolist`.',
  },
  'repo-id': {
    meaning: 'The id of a repository is not allowed, or is configured twice.',
    next: 'Letters, digits and - _ . : make an id; rename one of them.',
  },
  'kpatch-conf-odd': {
    meaning: 'kpatch.conf has a line that is odd or that other programs read differently.',
    next: 'Look at the line that is named; `kpatch-pm auto` and `manual` mend what they need.',
  },
  'versionlock-odd': {
    meaning: 'A line of versionlock cannot be read.',
    next: 'Look at the file and line that are named.',
  },
  // ---- bundles and own patches
  'not-bundle': {
    meaning: 'The file is not a bundle as `kpatch-pm bundle create` writes them.',
    next: 'Use the file as it was written: not compressed, not packed again.',
  },
  'bundle-malformed': {
    meaning: 'A bundle is cut off, damaged, holds a file twice, or its manifest is not one.',
    next: 'Have it made and carried again.',
  },
  'bundle-format': {
    meaning: 'A bundle was made in a format that this version does not read.',
    next: 'Use the version of kpatch-pm that made it, or a newer one.',
  },
  'bundle-entry-refused': {
    meaning:
      'A bundle holds something that is no plain file with a plain name: a link, a device, a path that leaves the archive, control characters.',
    next: 'Do not use it: no bundle of kpatch-pm has such entries.',
  },
  'bundle-file-mismatch': {
    meaning:
      'The files of a bundle are not those that its manifest lists: a digest or size differs, one is missing, or one is there that is not listed.',
    next: 'Have it made and carried again.',
  },
  'bundle-too-large': {
    meaning: 'A file of a bundle claims more bytes than are taken.',
    next: 'Do not use it: no bundle of kpatch-pm has such files.',
  },
  'bundle-unsigned': {
    meaning:
      'A bundle is not signed, and a signature is asked for: by --key, or because signed bundles were taken here before.',
    next: 'Have it made with `bundle create --sign KEY`.',
  },
  'bundle-signature-bad': {
    meaning: 'The signature of a bundle does not fit its manifest, or its key may not be used.',
    next: 'Do not use it; have it made and carried again.',
  },
  'bundle-key-untrusted': {
    meaning: 'A bundle is signed by a key that is not accepted for bundles.',
    next: 'Compare the fingerprint with what its maker tells you, then name the key: --key FILE.',
  },
  'bundle-package-refused': {
    meaning: 'A package in a bundle is damaged, not signed, or not what the manifest calls it.',
    next: 'Look at the reasons: kpatch-pm bundle verify FILE',
  },
  'file-exists': {
    meaning: 'A file that was to be written exists.',
    next: 'Name another file, or use --force.',
  },
  'signing-failed': {
    meaning: 'A signature could not be made with the key that was named.',
    next: 'See `gpg --list-secret-keys`; the key must be there, fit to sign, neither expired nor revoked.',
  },
  'publish-refused': {
    meaning: 'A module cannot be published as a live patch for that kernel.',
    next: 'Look at it: kpatch-pm inspect MODULE.ko',
  },
  'publish-failed': {
    meaning: 'rpmbuild, rpmsign or createrepo_c refused what it was given.',
    next: 'Look at what the program says.',
  },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** One sentence: what happened, to what, why. */
  readonly text: string;
  /** The file, URL, package or kernel it is about. */
  readonly subject?: string | undefined;
  /** What to do next, best as a command. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An expected failure, told to the user in one sentence and a hint; never shown as a stack trace. */
export class KpmError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | null;
  readonly hint: string | null;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    super(detail.text, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'KpmError';
    this.code = code;
    this.subject = detail.subject ?? null;
    this.hint = detail.hint ?? null;
  }

  /** The sentence as it goes on behind a colon. */
  get reason(): string {
    return this.message.replace(/^(?:An?|It|No|Nothing|Only|That|The|There|This|What)\b/, (word) => word.toLowerCase());
  }

  /** The exit status of a program that ends with this error. */
  get exit(): number {
    return (ERROR_CODES[this.code] as CodeEntry).exit ?? EXIT.failed;
  }
}

/** Narrows an unknown value to an error with this system errno (`ENOENT`, `ENOSPC` ...). */
export function hasErrno(error: unknown, ...errnos: string[]): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && errnos.includes(code);
}
