// What a host's cryptographic policy forbids in OpenPGP signatures. It can only tighten our own rules.
// Source: the documentation of sequoia-policy-config (the file format) and of sequoia-openpgp (names, sizes rounded down).

export interface HostPolicy {
  /** The file it comes from, for messages. */
  readonly source: string;
  /** Hash names in lower case (`sha256`) and algorithm names (`rsa2048`) with whether they are allowed. */
  readonly hashes: Dispositions;
  readonly algorithms: Dispositions;
}

interface Dispositions {
  readonly named: ReadonlyMap<string, boolean>;
  /** For names that are not listed. */
  readonly others: boolean;
}

/** Reads a policy file; a date means "until then", judged at `now`. Lines of other kinds are passed over. */
export function parseHostPolicy(text: string, source: string, now: Date): HostPolicy {
  const sections = new Map<string, Map<string, boolean>>();
  let section = '';
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    const header = /^\[([\w.-]+)\]$/.exec(line);
    if (header) section = header[1] as string;
    const entry = /^"?([\w.-]+?)"?\s*=\s*"?([\w:.TZ+-]+)"?$/.exec(line);
    const allowed = entry ? disposition(entry[2] as string, now) : null;
    if (!entry || allowed === null) continue;
    const names = sections.get(section) ?? new Map<string, boolean>();
    sections.set(section, names.set((entry[1] as string).toLowerCase(), allowed));
  }
  const of = (name: string): Dispositions => {
    const named = sections.get(name) ?? new Map<string, boolean>();
    return { named, others: named.get('default_disposition') ?? true };
  };
  return { source, hashes: of('hash_algorithms'), algorithms: of('asymmetric_algorithms') };
}

function disposition(value: string, now: Date): boolean | null {
  if (value === 'always') return true;
  if (value === 'never') return false;
  const until = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(until) ? null : now.getTime() < until;
}

/** What of a data signature the host forbids (`SHA224`, `RSA 2048`), by our own names; null: nothing. */
export function forbidden(policy: HostPolicy, hash: string, algorithm: string): string | null {
  const name = hash.toLowerCase();
  // Over foreign data collisions count, which may have a line of their own.
  if (!allows(policy.hashes, [`${name}.collision_resistance`, name])) return hash;
  return allows(policy.algorithms, algorithmNames(algorithm)) ? null : algorithm;
}

/** Whether one of the names is allowed; what is not listed at all goes by the default. */
function allows({ named, others }: Dispositions, names: readonly string[]): boolean {
  const listed = names.filter((name) => named.has(name));
  return listed.length === 0 ? others : listed.some((name) => named.get(name) === true);
}

const BUCKETS = [4096, 3072, 2048, 1024];

function algorithmNames(algorithm: string): string[] {
  const [kind = '', size = ''] = algorithm.split(' ');
  if (kind === 'RSA' || kind === 'DSA') {
    return [`${kind.toLowerCase()}${BUCKETS.find((bucket) => Number(size) >= bucket) ?? 1024}`];
  }
  if (kind === 'ECDSA') return [`nist${size.replace('-', '').toLowerCase()}`];
  // Versions of the policy name the curve, the algorithm, or both.
  return kind === 'Ed25519' ? ['ed25519', 'eddsa', 'cv25519'] : [kind.toLowerCase()];
}
