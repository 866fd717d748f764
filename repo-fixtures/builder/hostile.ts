// One hostile case -> a repository below built/hostile.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GOOD, type HostileCase } from '../sources/hostile/case.ts';
import { dropMetadata, editMetadata, settleTimes } from './metadata.ts';
import type { Workshop } from './package.ts';
import { createRepodata, packageBytes } from './repository.ts';
import { fileName } from './source.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export function buildHostile(entry: HostileCase, directory: string, workshop: Workshop): void {
  const source = entry.source ?? GOOD;
  const sound = packageBytes(source, workshop);
  const packages = path.join(directory, 'Packages');
  const file = path.join(packages, fileName(source));
  mkdirSync(packages, { recursive: true });
  writeFileSync(file, sound);
  createRepodata(directory);
  for (const type of ['filelists', 'other']) dropMetadata(directory, type);
  if (entry.file) {
    const changed = entry.file(sound, workshop);
    if (changed.equals(sound)) throw new Error(`${entry.id} changes nothing`);
    writeFileSync(file, changed);
    if (entry.metadataFollows !== false) {
      editMetadata(directory, 'primary', (text) =>
        text
          .replace(sha256(sound), sha256(changed))
          .replace(`package="${sound.length}"`, `package="${changed.length}"`),
      );
    }
  }
  entry.repository?.(directory, workshop);
  settleTimes(directory);
}
