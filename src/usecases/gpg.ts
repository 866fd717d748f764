// Signing with a secret key of the person who calls: gpg does it, with that person's keyring and agent. The secret key never
// comes near this program.
import { KpmError } from '../errors.ts';
import { type PublicKey, parseKeys, parseSignatures, verifySignature } from '../formats/openpgp/index.ts';
import type { Machine } from '../host/machine.ts';

/** What gpg needs to find the keyring and to ask for a passphrase. */
const PASSED_ON = ['HOME', 'GNUPGHOME', 'GPG_TTY', 'TERM', 'DISPLAY', 'XDG_RUNTIME_DIR'] as const;

/** The environment for gpg, rpmsign and what they start: clean, but for the person's own keyring. */
export function signersEnvironment({ env }: Pick<Machine, 'env'>): Record<string, string> {
  const own = PASSED_ON.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  return { HOME: '/root', ...Object.fromEntries(own), PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
}

/** A person may have to type a passphrase. */
const PATIENCE = 10 * 60_000;

type Signing = Pick<Machine, 'run' | 'env' | 'now'>;

/**
 * The public half of a signing key, by fingerprint, key id or user id. Raises `signing-failed` where gpg has no such secret key,
 * or it is expired or revoked; `program-missing`.
 */
export async function signingKey(machine: Signing, name: string): Promise<PublicKey> {
  const secret = await gpg(machine, ['--with-colons', '--list-secret-keys', '--', name]);
  const lines = secret.stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const primaries = lines.filter(([kind]) => kind === 'sec');
  if (secret.status !== 0 || primaries.length === 0) {
    throw failed(name, 'gpg has no secret key of that name', 'See: gpg --list-secret-keys');
  }
  if (primaries.length > 1) {
    throw failed(name, `gpg has ${primaries.length} secret keys of that name`, 'Name it by its fingerprint.');
  }
  const fingerprint = lines.find(([kind]) => kind === 'fpr')?.[9] ?? '';
  const exported = await gpg(machine, ['--export', '--export-options', 'export-minimal', '--', fingerprint]);
  const key =
    exported.stdout.length === 0
      ? undefined
      : parseKeys(exported.stdout).find((one) => one.fingerprint === fingerprint);
  if (!key) throw failed(name, 'gpg did not give its public half');
  const ended =
    key.revoked ??
    (key.expires !== null && key.expires <= machine.now()
      ? `it expired on ${key.expires.toISOString().slice(0, 10)}`
      : null);
  if (ended !== null) throw failed(name, `the key ${fingerprint} may not be used: ${ended}`);
  return key;
}

/**
 * A detached signature, armored, that is the same bytes each time: made at `when` (seconds since 1970), or at the key's own
 * beginning where that is later. It is checked here before anybody gets it. Raises `signing-failed`, `program-missing`.
 */
export async function detachedSignature(machine: Signing, key: PublicKey, data: Buffer, when: number): Promise<Buffer> {
  const born = [key, ...key.subkeys.map(({ packet }) => packet)].map(({ created }) =>
    Math.ceil(Number(created) / 1000),
  );
  const at = Math.max(when, ...born);
  const signed = await gpg(
    machine,
    [
      '--faked-system-time',
      `${at}!`,
      '--local-user',
      key.fingerprint,
      '--digest-algo',
      'SHA512',
      '--armor',
      '--detach-sign',
      '--output',
      '-',
    ],
    data,
  );
  if (signed.status !== 0) throw failed(key.fingerprint, lastLine(signed.stderr));
  const [signature] = parseSignatures(signed.stdout);
  const judged = signature && verifySignature(signature, [data], [key], machine.now());
  if (judged?.verdict !== 'good')
    throw failed(key.fingerprint, `what gpg made is not good: ${judged?.reason ?? 'it is no signature'}`);
  return signed.stdout;
}

function gpg({ run, env }: Signing, args: readonly string[], input?: Buffer) {
  const options = { env: signersEnvironment({ env }), timeout: PATIENCE };
  return run.run('gpg', ['--batch', '--no-tty', '--quiet', ...args], input ? { ...options, input } : options);
}

const lastLine = (text: string): string =>
  text
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^gpg: /, '') || 'gpg does not say why';

function failed(key: string, why: string, hint?: string): KpmError {
  return new KpmError('signing-failed', {
    text: `Nothing could be signed with the key ${key}: ${why}.`,
    subject: key,
    hint,
  });
}
