// Environment variables that could weaken a root process. Node reads some of them before any code of ours runs, so they
// are taken away in three places: the first line of the packaged file (env -u), a fresh start without them when they got
// through all the same, and here for what node reads later. Source: node(1), section Environment; openssl-env(7).

/** Read by node (or OpenSSL, V8) at its start: code to load, options, code caches, certificate authorities. */
export const AT_START = [
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
  'NODE_EXTRA_CA_CERTS',
  'NODE_PATH',
  'NODE_USE_SYSTEM_CA',
  'NODE_V8_COVERAGE',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
  'OPENSSL_ENGINES',
  'SSL_CERT_DIR',
  'SSL_CERT_FILE',
] as const;

/** Read while running: switches of TLS, debugging that prints secrets, files written to. */
export const LATER = [
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_PENDING_DEPRECATION',
  'NODE_REDIRECT_WARNINGS',
  'NODE_USE_ENV_PROXY',
  'SSLKEYLOGFILE',
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of AT_START that are set: the process must be started again without them. */
export function unsafeAtStart(env: Environment): string[] {
  return AT_START.filter((name) => env[name] !== undefined && env[name] !== '');
}

/** A copy without any of them, for the fresh start. */
export function cleaned(env: Environment): Record<string, string> {
  const drop = new Set<string>([...AT_START, ...LATER]);
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !drop.has(name));
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Takes them out of a live environment, for what is read later. */
export function removeUnsafe(env: Record<string, string | undefined>): void {
  for (const name of [...AT_START, ...LATER]) delete env[name];
}
