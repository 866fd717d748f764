// Metadata through a strict, streaming parser: for files whose shape the quick scans cannot vouch for.
// Each entry is written out again in plain form (no comments, no CDATA, no prefixes), one at a time.
import { type ErrorCode, KpmError } from '../../errors.ts';
import { MAX_SLICE } from './scan.ts';
import { printable } from './xml.ts';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => escapes[one] as string);
const local = (name: string): string => name.slice(name.indexOf(':') + 1);

/** Names of the root element and of its entries, and the code of a refusal. */
export interface Shape {
  readonly root: string;
  readonly entry: string;
  readonly code: ErrorCode;
}

/** Calls `take` with the text of each package entry of a primary.xml. Raises `primary-malformed`. */
export function strictPackages(
  source: AsyncIterable<Buffer>,
  what: string,
  take: (text: string) => void,
): Promise<void> {
  return strictEntries(source, what, { root: 'metadata', entry: 'package', code: 'primary-malformed' }, take);
}

/** Calls `take` with the text of each entry. Raises the code of the shape. */
export async function strictEntries(
  source: AsyncIterable<Buffer>,
  what: string,
  shape: Shape,
  take: (text: string) => void,
): Promise<void> {
  const { SaxesParser } = await import('./saxes.ts');
  const parser = new SaxesParser();
  const refuse = (why: string): KpmError =>
    new KpmError(shape.code, {
      text: `${what} is not usable XML: ${printable(why)}.`,
      subject: what,
      hint: 'Tell whoever runs the repository.',
    });
  const path: string[] = [];
  let parts: string[] = [];
  let size = 0;
  let events = 0;
  const add = (text: string): void => {
    size += text.length;
    if (size > MAX_SLICE) throw refuse(`one ${shape.entry} entry is too long`);
    parts.push(text);
  };
  const inPackage = (): boolean => path.length >= 2;
  parser.on('error', (error) => {
    throw refuse(error.message);
  });
  parser.on('doctype', () => {
    throw refuse('it has a document type, which metadata never needs');
  });
  parser.on('opentag', (tag) => {
    events++;
    const name = local(tag.name);
    if (path.length === 0 && name !== shape.root) throw refuse(`its root is <${name}>, not <${shape.root}>`);
    path.push(name);
    if (path[1] !== shape.entry) return;
    const attributes = Object.entries(tag.attributes as Record<string, string>);
    add(`<${name}${attributes.map(([key, value]) => ` ${key}="${escaped(value)}"`).join('')}>`);
  });
  const text = (value: string): void => {
    if (inPackage() && path[1] === shape.entry) add(escaped(value));
  };
  parser.on('text', text);
  parser.on('cdata', text);
  parser.on('closetag', () => {
    events++;
    const name = path.at(-1) as string;
    if (path[1] === shape.entry) add(`</${name}>`);
    path.pop();
    if (path.length === 1 && name === shape.entry) {
      take(parts.join(''));
      parts = [];
      size = 0;
    }
  });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  // One text without an end would gather in the parser.
  let quiet = 0;
  for await (const chunk of source) {
    const before = events;
    parser.write(decode(decoder, chunk, refuse));
    quiet = events === before ? quiet + chunk.length : 0;
    if (quiet > MAX_SLICE) throw refuse(`one ${shape.entry} entry is too long`);
  }
  parser.write(decode(decoder, null, refuse));
  parser.close();
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Buffer | null,
  refuse: (why: string) => KpmError,
): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw refuse('it is not UTF-8');
  }
}
