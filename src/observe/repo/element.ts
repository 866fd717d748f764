// An element of XML, and what is asked of it.

/** One element as fast-xml-parser gives it: attributes as `@name`, text as `#text`, children by local name. */
export type Element = { readonly [name: string]: unknown };

/** A child element; null when absent or only text. An element given twice counts by its first. */
export function child(element: Element | null, name: string): Element | null {
  const value = element?.[name];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'object' && first !== null ? (first as Element) : null;
}

/** All children of one name; a child of text only comes as `{ '#text': ... }`. */
export function children(element: Element | null, name: string): Element[] {
  const value = element?.[name];
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.map((one) => (typeof one === 'object' && one !== null ? (one as Element) : { '#text': String(one) }));
}

/** The text of a child element; null when absent. */
export function textOf(element: Element | null, name: string): string | null {
  const value = element?.[name];
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  if (typeof first === 'object' && first !== null) {
    const inside = (first as Element)['#text'];
    return typeof inside === 'string' ? inside : '';
  }
  return null;
}

/** An attribute; null when absent. */
export function attribute(element: Element | null, name: string): string | null {
  const value = element?.[`@${name}`];
  return typeof value === 'string' ? value : null;
}

/** A count of bytes or seconds; null when absent or not a plain number. */
export function count(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
