// XML of the plainest kind, read in one go: elements, attributes, text, the five entities every XML has; the form in which
// metadata is written. Anything else (other entities, comments, CDATA, prefixes but rpm's, mixed text, two of a name) is not
// judged here but left to the real parser, which would give the same for what is read here (test/properties/plain-xml.test.ts).
// A list has some ten thousand tags with a dozen names among them: they are cut out by their ends, and each name is judged once.
import type { Element } from './element.ts';

/** Nothing, or the blanks that XML knows (a return is not plain). */
const BLANK = /^[ \t\n]*$/;
/** Deeper than any metadata; the real parser has a limit of its own. */
const DEEPEST = 50;
/** Names that every object knows, and those of namespaces, are not for a quick reader. */
const SPECIAL = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'xmlns']);
const NAME = /^[A-Za-z][\w-]{0,63}$/;

/** What a document may begin with. */
const DECLARATION = /^<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>/;
/** The entities that need no declaration. Source: XML 1.0, section 4.6. */
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const ENTITY = /&(lt|gt|amp|quot|apos);/g;
const OTHER_ENTITY = /&(?!(?:lt|gt|amp|quot|apos);)/;

interface Open {
  /** Without its prefix. */
  readonly name: string;
  /** What ends it: `/`, prefix and name. */
  readonly end: string;
  readonly element: Record<string, unknown>;
  /** Whether it has attributes or children: text alone stands for its element. */
  full: boolean;
  /** Whether it has children. */
  parent: boolean;
  text: string;
}

/** The document as fast-xml-parser gives it (xml.ts); null where it is not of that kind. `lists`: elements always in a list. */
export function readPlain(document: string, lists: ReadonlySet<string>): Element | null {
  if (document.includes('\r')) return null;
  if (document.includes('&') && OTHER_ENTITY.test(document)) return null;
  const top: Open = { name: '', end: '', element: {}, full: true, parent: false, text: '' };
  const path: Open[] = [];
  let here = top;
  let at = DECLARATION.exec(document)?.[0].length ?? 0;
  let start = document.indexOf('<', at);
  while (start >= 0) {
    const stop = document.indexOf('>', at);
    const next = document.indexOf('<', start + 1);
    if (stop < start || (next >= 0 && next < stop)) return null;
    if (start > at && !addText(here, document.slice(at, start))) return null;
    const tag = document.slice(start + 1, stop);
    at = stop + 1;
    start = next;
    if (tag === here.end) {
      const parent = path.pop();
      if (parent === undefined || !close(here, parent, lists)) return null;
      here = parent;
      continue;
    }
    if (path.length > DEEPEST || (here === top && top.parent)) return null;
    const alone = tag.endsWith('/');
    const open = begin(alone ? tag.slice(0, -1) : tag);
    if (open === null) return null;
    if (!alone) {
      path.push(here);
      here = open;
    } else if (!close(open, here, lists)) return null;
  }
  return here === top && top.parent && BLANK.test(document.slice(at)) ? top.element : null;
}

/** A value with its entities replaced. */
const decoded = (value: string): string =>
  value.includes('&') ? value.replace(ENTITY, (_, name: string) => ENTITIES[name] ?? '') : value;

/** Blanks between elements are nothing; other text beside elements is not plain. */
function addText(here: Open, text: string): boolean {
  if (here.name === '') return BLANK.test(text);
  const trimmed = text.trim();
  if (trimmed === '') return true;
  if (here.text !== '' || here.parent) return false;
  here.text = decoded(trimmed);
  return true;
}

/** An element by what stands between `<` and `>`. */
function begin(tag: string): Open | null {
  const blank = tag.indexOf(' ');
  const written = blank < 0 ? tag : tag.slice(0, blank);
  const name = elements.of(written);
  if (name === null) return null;
  const element: Record<string, unknown> = {};
  let full = false;
  let spaces = '';
  for (let at = blank; at >= 0 && at < tag.length; ) {
    const equals = tag.indexOf('=', at);
    if (equals < 0 || tag[at] !== ' ') {
      if (BLANK.test(tag.slice(at))) break;
      return null;
    }
    const quote = tag[equals + 1];
    const end = quote === '"' || quote === "'" ? tag.indexOf(quote, equals + 2) : -1;
    if (end < 0) return null;
    const attribute = tag.slice(at + 1, equals);
    const value = tag.slice(equals + 2, end);
    at = end + 1;
    // Where names are from is not asked: prefixes are dropped.
    if (attribute === 'xmlns' || attribute === 'xmlns:rpm') {
      if (spaces.includes(`${attribute} `)) return null;
      spaces += `${attribute} `;
      continue;
    }
    const key = attributes.of(attribute);
    if (key === null || element[key] !== undefined || value !== value.trim()) return null;
    element[key] = decoded(value);
    full = true;
  }
  return { name, end: `/${written}`, element, full, parent: false, text: '' };
}

function close(done: Open, parent: Open, lists: ReadonlySet<string>): boolean {
  const { name, element, full, text } = done;
  if (parent.text !== '') return false;
  if (full && text !== '') element['#text'] = text;
  const value = full ? element : text;
  const before = parent.element[name];
  if (Array.isArray(before)) before.push(value);
  else if (lists.has(name)) parent.element[name] = [value];
  else if (before === undefined) parent.element[name] = value;
  else parent.element[name] = [before, value];
  parent.full = true;
  parent.parent = true;
  return true;
}

/** Names as they are written, and what they become; each is judged when it is first met. */
class Names {
  readonly #judge: (written: string) => string | null;
  readonly #known = new Map<string, string | null>();

  constructor(judge: (written: string) => string | null) {
    this.#judge = judge;
  }

  of(written: string): string | null {
    const known = this.#known.get(written);
    if (known !== undefined) return known;
    const name = this.#judge(written);
    // A hostile list may bring new names for ever.
    if (this.#known.size < 200) this.#known.set(written, name);
    return name;
  }
}

const plainName = (name: string): string | null => (NAME.test(name) && !SPECIAL.has(name) ? name : null);

/** Elements lose rpm's prefix. */
const elements = new Names((written) => plainName(written.startsWith('rpm:') ? written.slice(4) : written));
const attributes = new Names((written) => {
  const name = plainName(written);
  return name === null ? null : `@${name}`;
});
