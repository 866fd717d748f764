// Why the kernel did not take a module: insmod's words and the kernel's log turned into one code and one sentence.
// Source: kmod's texts for errnos (init_module(2)), kernel/module/main.c, kernel/livepatch/core.c, security/lockdown; measured on 6.1, 6.12.
import { type ErrorCode, KpmError } from '../../errors.ts';
import { attribute } from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';

export interface Refusal {
  /** What insmod, rmmod or the utility wrote. */
  readonly text: string;
  /** What the kernel logged meanwhile. */
  readonly log: readonly string[];
}

/** What else this kernel says about loading modules. */
export interface KernelMood {
  readonly lockdown: string | null;
  readonly modulesDisabled: boolean;
  readonly selinuxEnforcing: boolean;
  /** No module can come in from here at all: a kernel without modules, or a filter on this process's system calls. */
  readonly walled: boolean;
}

interface Rule {
  readonly code: ErrorCode;
  readonly when: (text: string, log: string, mood: KernelMood) => boolean;
  /** Completes "MODULE was not loaded: ...". */
  readonly why: string;
  /** A line of the log that says it best. */
  readonly evidence: RegExp | null;
  readonly hint: string;
}

/** A denial that concerns loading: the module itself, reading its file, or the capability. */
const DENIAL = /avc:\s+denied\s+\{[^}]*\b(module_load|sys_module|read|open|getattr|map|use|execute)\b/;
const denied = (text: string): boolean => /operation not permitted|permission denied/.test(text);

/** ENOSYS. */
const UNKNOWN_CALL = /function not implemented/;

/** The first that fits. Both arguments are in lower case. */
const RULES: readonly Rule[] = [
  {
    code: 'modules-disabled',
    when: (text, _log, mood) => mood.modulesDisabled && denied(text),
    why: 'this kernel takes no more modules (kernel.modules_disabled is 1)',
    evidence: null,
    hint: 'It stays so until a reboot; live patches must be loaded before that switch is set (kpatch.service does).',
  },
  {
    code: 'load-refused-lockdown',
    when: (text, log) => denied(text) && log.includes('lockdown:'),
    why: 'the kernel is locked down and the module has no signature it trusts',
    evidence: /lockdown: .*/i,
    hint: 'Install the module its vendor signed, or enrol the signing key (mokutil --import KEY), then reboot.',
  },
  {
    code: 'load-refused-signature',
    when: (text, log) =>
      /required key not available|key was rejected|bad message|key has (expired|been revoked)/.test(text) ||
      /unsigned module is rejected|module .*unavailable key is rejected/.test(log),
    why: 'the kernel does not trust the signature of the module',
    evidence: /(loading of .* is rejected|pkcs#7.*|.*verification failed.*)/i,
    hint: 'See which keys the kernel trusts (keyctl list %:.builtin_trusted_keys) and take a module signed by one of them.',
  },
  {
    code: 'load-refused-selinux',
    // The policy answers EACCES; EPERM only where it denies the capability, and then the record says so.
    when: (text, log, mood) =>
      denied(text) && (DENIAL.test(log) || (mood.selinuxEnforcing && /permission denied/.test(text))),
    why: 'SELinux does not let this program load modules',
    evidence: /avc:\s+denied.*/i,
    hint: 'Install the kpatch utility: with loader=auto it is then started by systemd, in the domain that may. The record: ausearch -m avc -ts recent',
  },
  {
    code: 'load-refused-lockdown',
    when: (text, _log, mood) => denied(text) && mood.lockdown !== null,
    why: 'the kernel is locked down and does not permit it',
    evidence: null,
    hint: 'See /sys/kernel/security/lockdown; a module signed by a key of the kernel is permitted.',
  },
  {
    code: 'needs-root',
    when: (text) => denied(text),
    why: 'this process may not load modules (CAP_SYS_MODULE)',
    evidence: null,
    hint: 'Run it as root on the machine itself, not in a container.',
  },
  {
    code: 'no-livepatch-support',
    when: (_text, log) => /module is marked as livepatch module, but livepatch support is disabled/.test(log),
    why: 'this kernel was built without live patching (CONFIG_LIVEPATCH)',
    evidence: null,
    hint: 'Boot a kernel of the distribution that supports live patches.',
  },
  {
    // Kernels before 5.1 answer ENOSYS here (klp_register_patch); later ones only warn.
    code: 'no-livepatch-support',
    when: (text, log) => UNKNOWN_CALL.test(text) && log.includes('support for the livepatch consistency model'),
    why: 'this kernel cannot tell when its tasks may switch to the new code (no reliable stack traces)',
    evidence: /livepatch: .*consistency model.*/i,
    hint: 'Boot a kernel of the distribution that supports live patches.',
  },
  {
    // A module may answer ENOSYS itself: the call is taken for missing only where something is seen to keep it away.
    code: 'loading-forbidden',
    when: (text, log, mood) => UNKNOWN_CALL.test(text) && mood.walled && !log.includes('livepatch'),
    why: 'no module at all can be loaded from here (finit_module(2): Function not implemented)',
    evidence: null,
    hint: 'Load it on the machine itself, outside of containers and sandboxes; what is installed is loaded at its next boot.',
  },
  {
    code: 'load-refused-symbol',
    when: (text, log) =>
      /unknown symbol|wrong symbol version/.test(text) ||
      /symbol .* not found in symbol table|unresolvable ambiguity|disagrees about version of symbol|unknown symbol/.test(
        log,
      ),
    why: 'it needs or replaces a function that this kernel does not have in that form',
    evidence:
      /(livepatch: symbol .*|livepatch: unresolvable.*|.*disagrees about version of symbol.*|.*unknown symbol.*)/i,
    hint: 'Report it to whoever built the live patch: it does not fit the kernel it names. The level before stays usable.',
  },
  {
    code: 'load-refused-format',
    when: (text) => /invalid module format|exec format error|file is empty/.test(text),
    why: 'the kernel does not accept the form of the file (damaged, or built with other options)',
    evidence: /(.*version magic .* should be .*|.*invalid (elf|module).*|module .*: section .*|.*elf.*)/i,
    hint: 'Compare modinfo -F vermagic FILE with another module of this kernel; reinstall the package if the file is damaged.',
  },
];

const INIT_HINT =
  'See what the kernel logged (dmesg | tail); report it to whoever built the live patch. The level before stays usable.';

/** The error for a refused insert. `module` is the module's name; the evidence is quoted from the kernel's log. */
export function explainRefusal(module: string, refusal: Refusal, mood: KernelMood): KpmError {
  const text = refusal.text.toLowerCase();
  const log = refusal.log.join('\n').toLowerCase();
  const rule = RULES.find((candidate) => candidate.when(text, log, mood));
  const said = lastLine(refusal.text);
  if (rule) {
    const line = rule.evidence === null ? null : quote(refusal.log, rule.evidence);
    return new KpmError(rule.code, {
      text: `${module} was not loaded: ${rule.why}${line === null ? '' : ` ("${line}")`}.`,
      subject: module,
      hint: rule.hint,
      cause: refusal,
    });
  }
  const line = quote(refusal.log, /livepatch: .*\b(fail|unable|cannot|invalid|not )\w*.*/i);
  return new KpmError('load-refused-init', {
    text: `${module} was not loaded: it gave up while starting (${line ?? reason(said)}).`,
    subject: module,
    hint: INIT_HINT,
    cause: refusal,
  });
}

/** Reads what the kernel says about itself; each of these files is optional. */
export function kernelMood(sys: Root): KernelMood {
  const lockdown = /\[(\w+)\]/.exec(attribute(sys, 'sys/kernel/security/lockdown') ?? '')?.[1] ?? null;
  return {
    lockdown: lockdown === 'none' ? null : lockdown,
    modulesDisabled: attribute(sys, 'proc/sys/kernel/modules_disabled') === '1',
    selinuxEnforcing: attribute(sys, 'sys/fs/selinux/enforce') === '1',
    walled: !sys.exists('proc/modules') || isFiltered(sys),
  };
}

/** Whether a filter stands before this process's system calls, and those of what it starts. Source: proc_pid_status(5), seccomp(2). */
function isFiltered(sys: Root): boolean {
  return /^Seccomp:\s*2$/m.test(attribute(sys, 'proc/self/status') ?? '');
}

function quote(log: readonly string[], pattern: RegExp): string | null {
  for (const line of log) {
    const found = pattern.exec(line)?.[0]?.trim();
    if (found) return found.slice(0, 200);
  }
  return null;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}

/** `insmod: ERROR: could not insert module F: No such device` -> `No such device`. */
function reason(line: string): string {
  return line === '' ? 'no reason was given' : (line.split(': ').at(-1) ?? line);
}
