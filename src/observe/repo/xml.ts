// XML as repositories use it: no document type, no entities of its own, strictly well-formed, values kept as text.
import { type ErrorCode, KpmError } from '../../errors.ts';
import type { Element } from './element.ts';
import { readPlain } from './plain.ts';

export interface XmlReader {
  /** Parses a whole, well-formed document or fragment with one root; raises the given code. */
  parse(text: string, what: string, code: ErrorCode): Element;
  /** The same by the real parser, whatever the text is like. */
  strictly(text: string, what: string, code: ErrorCode): Element;
}

/** Child elements that may stand several times: always given as a list. */
export const LISTS: ReadonlySet<string> = new Set(['data', 'entry', 'file', 'package', 'url', 'hash', 'alternate']);

/** One document, by the real parser only where it is not of the plainest kind. Raises the given code. */
export async function readXml(text: string, what: string, code: ErrorCode): Promise<Element> {
  return readPlain(text, LISTS) ?? (await xmlReader()).strictly(text, what, code);
}

/** Loads fast-xml-parser: some milliseconds, which who reads plain files only does not pay. */
export async function xmlReader(): Promise<XmlReader> {
  const { XMLParser, XMLValidator } = await import('fast-xml-parser');
  const options = {
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    ignoreDeclaration: true,
    removeNSPrefix: true,
    // Versions are texts: 1.10 is not 1.1.
    parseTagValue: false,
    parseAttributeValue: false,
    isArray: (name: unknown) => LISTS.has(String(name)),
  };
  // Numeric character references too.
  const parser = new XMLParser({ ...options, htmlEntities: true });
  // Looking for them takes half of the time, and most texts have no `&` at all.
  const plain = new XMLParser({ ...options, processEntities: false });
  const strictly = (text: string, what: string, code: ErrorCode): Element => {
    const refuse = (why: string): KpmError =>
      new KpmError(code, {
        text: `${what} is not usable XML: ${why}.`,
        subject: what,
        hint: 'A proxy or login page may have been sent instead; look at the URL with a browser or curl.',
      });
    if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw refuse('it has a document type, which metadata never needs');
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw refuse(`${printable(valid.err.msg)} (line ${valid.err.line})`);
    let document: Element;
    try {
      document = (text.includes('&') ? parser : plain).parse(text) as Element;
    } catch (error) {
      throw refuse(printable((error as Error).message));
    }
    // The validator lets a second root pass.
    const roots = Object.entries(document).filter(([name]) => !name.startsWith('?'));
    const several = Array.isArray(roots[0]?.[1]) && (roots[0][1] as unknown[]).length > 1;
    if (roots.length !== 1 || several) throw refuse('it has no single root element');
    return document;
  };
  // Most entries are of the plainest kind, and reading those takes a tenth of the time.
  return { strictly, parse: (text, what, code) => readPlain(text, LISTS) ?? strictly(text, what, code) };
}

/** Text without control characters, cut to a readable length: what a server sends may end on a terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 300);
}
