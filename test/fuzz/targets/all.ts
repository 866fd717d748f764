// Every reader under test, with the samples it starts from.
import { parseRpm } from '../../../src/formats/rpm/package.ts';
import { readPayload } from '../../../src/formats/rpm/payload.ts';
import { xmlReader } from '../../../src/observe/repo/xml.ts';
import { samples } from '../samples.ts';
import type { Target } from '../target.ts';
import { metadataTargets } from './metadata.ts';
import { openpgpTargets } from './openpgp.ts';
import { noPrograms, packageTargets } from './package.ts';
import { settingTargets } from './settings.ts';
import { streamTargets } from './streams.ts';

/** `corpus`: see samples. */
export async function allTargets(corpus: string | null): Promise<Target[]> {
  const from = samples(corpus);
  const parts = await Promise.all(
    from.signed.slice(0, 5).map(({ bytes }) => readPayload(parseRpm(bytes), {}, noPrograms)),
  );
  const modules = parts.flat().flatMap(({ path, content }) => (path.endsWith('.ko') && content ? [content] : []));
  return [
    ...packageTargets(from),
    ...openpgpTargets(from),
    ...streamTargets(from, modules),
    ...metadataTargets(from, await xmlReader()),
    ...settingTargets(),
  ];
}
