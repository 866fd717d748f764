// URLs of repositories: which are taken, how a file's place is joined to a base, and how they are shown to people.
import { KpmError } from '../errors.ts';

const SCHEMES = ['file:', 'http:', 'https:'];

/** Reads a URL; raises `url-refused` when it is none, or of a scheme we do not speak (ftp, rsync ...). */
export function readUrl(text: string, what: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new KpmError('url-refused', {
      text: `${what}: ${JSON.stringify(shown(text))} is not a URL.`,
      subject: shown(text),
      hint: 'Look at baseurl, mirrorlist and metalink of that repository.',
    });
  }
  if (!SCHEMES.includes(url.protocol)) {
    throw new KpmError('url-refused', {
      text: `${what}: ${shown(text)} is of a kind (${url.protocol.slice(0, -1)}) that is not supported.`,
      subject: shown(text),
      hint: 'Use an http:, https: or file: URL.',
    });
  }
  return url;
}

/** Whether a text is a URL of a scheme we speak. */
export function isUsableUrl(text: string): boolean {
  try {
    return SCHEMES.includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** A URL as it may be shown and stored: no user, no password, no query (tokens live there), no fragment. */
export function shown(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(String(url));
  } catch {
    // Not a URL: whatever stands before an @ may be a password.
    return String(url).replace(/\/\/[^/@]*@/, '//');
  }
  parsed.username = '';
  parsed.password = '';
  const query = parsed.search === '' ? '' : '?...';
  parsed.search = '';
  parsed.hash = '';
  return `${parsed.href}${query}`;
}

/** User and password inside a URL, percent-decoded; null when there are none. */
export function credentialsIn(url: URL): { username: string; password: string } | null {
  if (url.username === '' && url.password === '') return null;
  return { username: decoded(url.username), password: decoded(url.password) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function hrefRefused(href: string, what: string, why: string): KpmError {
  const text = JSON.stringify(href.slice(0, 200));
  return new KpmError('href-refused', {
    text: `${what}: the location ${text} ${why} and is refused.`,
    subject: href.slice(0, 200),
    hint: 'The metadata of this repository is wrong or hostile; tell whoever runs it.',
  });
}

/**
 * Refuses a location that would leave the repository: absolute, with a scheme or host, with `..` (also percent-encoded),
 * backslashes or control characters. Raises `href-refused`.
 */
export function checkHref(href: string, what: string): void {
  if (href === '' || /[\u0000-\u001f\u007f\\]/.test(href))
    throw hrefRefused(href, what, 'is empty or holds odd characters');
  if (href.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(href)) {
    throw hrefRefused(href, what, 'does not lie inside the repository');
  }
  const parts = href.split('/').map(decoded);
  if (parts.some((part) => part === '..' || part.includes('/') || part.includes('\\') || part.includes('\0'))) {
    throw hrefRefused(href, what, 'leaves the repository');
  }
}

/** `href` below `base`; a query of the base (tokens) stays at the end. Raises `href-refused`, `url-refused`. */
export function below(base: string, href: string, what: string): string {
  checkHref(href, what);
  const url = readUrl(base, what);
  const folder = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  url.pathname = folder + href;
  return url.href;
}

/**
 * The base an entry itself names (xml:base), where it may be used: http or https, and not less safe than the repository.
 * Raises `href-refused`.
 */
export function otherBase(base: string, repository: string, what: string): string {
  const from = readUrl(repository, what).protocol;
  let to: string;
  try {
    to = new URL(base).protocol;
  } catch {
    throw hrefRefused(base, what, 'is not a URL');
  }
  const allowed = from === 'file:' ? SCHEMES : from === 'http:' ? ['http:', 'https:'] : ['https:'];
  if (!allowed.includes(to)) throw hrefRefused(base, what, `may not be used from a ${from.slice(0, -1)} repository`);
  return base;
}
