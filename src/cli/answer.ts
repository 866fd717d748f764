// One answer typed by a person.
import { createInterface } from 'node:readline';

/** What questions are read from. */
export type Source = NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };

/** The next line, without its end; null when the input ends first. The input is let go afterwards. */
export function readAnswer(source: Source): Promise<string | null> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: source, terminal: false });
    let answer: string | null = null;
    lines.once('line', (line) => {
      answer = line;
      lines.close();
    });
    lines.once('close', () => {
      source.pause();
      resolve(answer);
    });
  });
}

/** Yes, no, or neither. Nothing typed means no. */
export function meaning(answer: string | null): boolean | null {
  const word = (answer ?? '').trim().toLowerCase();
  if (word === 'y' || word === 'yes') return true;
  if (word === '' || word === 'n' || word === 'no') return false;
  return null;
}
