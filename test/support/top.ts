// The top of the checkout: tests run from there.
import { existsSync } from 'node:fs';
import path from 'node:path';

function find(from: string): string {
  if (existsSync(path.join(from, 'package-lock.json'))) return from;
  const up = path.dirname(from);
  if (up === from) throw new Error('run the tests from inside the checkout');
  return find(up);
}

export const top = find(process.cwd());
