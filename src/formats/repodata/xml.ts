// Text for XML: what a package says of itself, made safe for an element or attribute.
// Source: XML 1.0, sections 2.2 (characters that may stand in a document) and 2.4 (escaping).

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escaped, without the characters that XML 1.0 does not allow at all (they become the replacement character). */
export function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>"]/g, (char) => ENTITY[char] as string);
}

/** `<name>text</name>`, or an empty element where there is no text. */
export function element(name: string, text: string | null): string {
  return text ? `<${name}>${escaped(text)}</${name}>` : `<${name}/>`;
}

/** ` key="value"` for each that has a value. */
export function attributes(values: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}
