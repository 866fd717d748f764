// What was typed, as the history keeps it: without credentials, in one line.
import { shown } from '../net/url.ts';

/** Longer command lines are cut. */
const LONGEST = 4096;
/** Options of dnf.conf and repositories whose values are nobody's business. Source: dnf.conf(5). */
const SECRET = /(user(name)?|pass(word|wd)?|token|secret|credential|auth|cookie)/i;

/** The arguments as one line that can be shown and kept. */
export function commandLine(args: readonly string[]): string {
  const words = args.map((arg, n) => quoted(masked(arg, args[n - 1] === '--setopt')));
  const line = words.join(' ').replace(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line;
}

function masked(arg: string, setopt: boolean): string {
  const [, start = '', key = '', value = ''] = /^((?:--setopt=)?)([^=\s]+)=(.*)$/s.exec(arg) ?? [];
  if ((setopt || start !== '') && key !== '' && SECRET.test(key.split('.').at(-1) as string))
    return `${start}${key}=***`;
  if (value === '' || key.includes('://')) return withoutCredentials(arg);
  return `${start}${key}=${withoutCredentials(value)}`;
}

/** Every URL in a text without user, password, query and fragment. */
function withoutCredentials(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s,]+/gi, (url) => shown(url));
}

/** As a shell takes it for one word. */
const quoted = (arg: string): string => (/^[\w@%+=:,./~^-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`);
