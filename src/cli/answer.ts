// One answer typed by a person.

/** What questions are read from. */
export type Source = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined;
  readonly readableEnded?: boolean | undefined;
};

/** The next line, without its end; null when the input ends (or breaks) first. What follows it stays in the input. */
export function readAnswer(source: Source): Promise<string | null> {
  return new Promise((resolve) => {
    if (source.readableEnded) {
      resolve(null);
      return;
    }
    let text = '';
    const onData = (chunk: Buffer | string): void => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\n');
      if (end < 0) return;
      finish(text.slice(0, end));
      if (end + 1 < text.length) source.unshift(Buffer.from(text.slice(end + 1)));
    };
    const onEnd = (): void => finish(text === '' ? null : text);
    const finish = (answer: string | null): void => {
      source.off('data', onData).off('end', onEnd).off('error', onEnd);
      source.pause();
      resolve(answer);
    };
    source.on('data', onData).on('end', onEnd).on('error', onEnd);
    source.resume();
  });
}

/** Yes, no, or neither. Nothing typed means no. */
export function meaning(answer: string | null): boolean | null {
  const word = (answer ?? '').trim().toLowerCase();
  if (word === 'y' || word === 'yes') return true;
  if (word === '' || word === 'n' || word === 'no') return false;
  return null;
}
