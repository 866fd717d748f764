// XML of the plainest kind, read in one go: elements, attributes, text, the five entities every XML has; the form in which
// metadata is written. Anything else (other entities, comments, CDATA, prefixes but rpm's, mixed text, two of a name) is not
// judged here but left to the real parser, which would give the same for what is read here (test/properties/plain-xml.test.ts).
import type { Element } from './element.ts';

/** Nothing, or the blanks that XML knows (a return is not plain). */
const BLANK = /^[ \t\n]*$/;
/** Deeper than any metadata; the real parser has a limit of its own. */
const DEEPEST = 50;
/** Names that every object knows, and those of namespaces, are not for a quick reader. */
const SPECIAL = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'xmlns']);

/** What a document may begin with. */
const DECLARATION = /^<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>/;
/** `<`, `/` or not, prefix, name, and what follows up to `>`. Sticky: every step begins where the last one ended. */
const TAG = /<(\/?)((?:rpm:)?)([A-Za-z][\w-]{0,63})([^<>]*)>/y;
const ATTRIBUTE = /[ \t\n]+(xmlns(?::rpm)?|[A-Za-z][\w-]{0,63})=(?:"([^"]*)"|'([^']*)')/y;
/** The entities that need no declaration. Source: XML 1.0, section 4.6. */
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const ENTITY = /&(lt|gt|amp|quot|apos);/g;
const OTHER_ENTITY = /&(?!(?:lt|gt|amp|quot|apos);)/;

interface Open {
  readonly name: string;
  readonly prefix: string;
  readonly element: Record<string, unknown>;
  /** Whether it has attributes or children: text alone stands for its element. */
  full: boolean;
  text: string;
}

/** The document as fast-xml-parser gives it (xml.ts); null where it is not of that kind. `lists`: elements always in a list. */
export function readPlain(document: string, lists: ReadonlySet<string>): Element | null {
  if (document.includes('\r')) return null;
  if (document.includes('&') && OTHER_ENTITY.test(document)) return null;
  const top: Open = { name: '', prefix: '', element: {}, full: true, text: '' };
  const path: Open[] = [top];
  let at = DECLARATION.exec(document)?.[0].length ?? 0;
  while (at < document.length) {
    const start = document.indexOf('<', at);
    const here = path.at(-1) as Open;
    if (start < 0) break;
    if (start > at) {
      const text = document.slice(at, start);
      if (text.includes('>') || !addText(here, text)) return null;
    }
    TAG.lastIndex = start;
    const tag = TAG.exec(document);
    if (tag === null) return null;
    const [, end, prefix = '', name = '', rest = ''] = tag;
    at = TAG.lastIndex;
    if (end === '/') {
      if (path.length === 1 || here.name !== name || here.prefix !== prefix || !BLANK.test(rest)) return null;
      path.pop();
      if (!close(here, path.at(-1) as Open, lists)) return null;
    } else {
      if (path.length > DEEPEST || SPECIAL.has(name)) return null;
      const alone = rest.endsWith('/');
      const open = begin(name, prefix, alone ? rest.slice(0, -1) : rest);
      if (open === null || (path.length === 1 && Object.keys(top.element).length > 0)) return null;
      if (!alone) path.push(open);
      else if (!close(open, here, lists)) return null;
    }
  }
  return path.length === 1 && at > 0 && BLANK.test(document.slice(at)) && Object.keys(top.element).length === 1
    ? top.element
    : null;
}

/** A value with its entities replaced. */
const decoded = (value: string): string =>
  value.includes('&') ? value.replace(ENTITY, (_, name: string) => ENTITIES[name] ?? '') : value;

/** Blanks between elements are nothing; other text beside elements is not plain. */
function addText(here: Open, text: string): boolean {
  if (here.name === '') return BLANK.test(text);
  const trimmed = text.trim();
  if (trimmed === '') return true;
  if (here.text !== '' || Object.keys(here.element).some((key) => !key.startsWith('@'))) return false;
  here.text = decoded(trimmed);
  return true;
}

function begin(name: string, prefix: string, rest: string): Open | null {
  const element: Record<string, unknown> = {};
  const spaces: string[] = [];
  let full = false;
  ATTRIBUTE.lastIndex = 0;
  for (let end = 0; end < rest.length; end = ATTRIBUTE.lastIndex) {
    const found = ATTRIBUTE.exec(rest);
    if (found === null) {
      if (!BLANK.test(rest.slice(end))) return null;
      break;
    }
    const [, attribute = '', quoted, apostrophed = ''] = found;
    // Where names are from is not asked: prefixes are dropped.
    if (attribute === 'xmlns' || attribute === 'xmlns:rpm') {
      if (spaces.includes(attribute)) return null;
      spaces.push(attribute);
      continue;
    }
    const key = `@${attribute}`;
    const value = quoted ?? apostrophed;
    if (element[key] !== undefined || SPECIAL.has(attribute) || value !== value.trim()) return null;
    element[key] = decoded(value);
    full = true;
  }
  return { name, prefix, element, full, text: '' };
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
  return true;
}
