// download: packages into a directory.
import path from 'node:path';
import { asListed, type Listed } from '../../decide/listing.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { type Downloaded, download } from '../../usecases/download.ts';
import { type Context, tellNotices } from '../context.ts';
import { clean } from '../render/clean.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { packagesJson } from '../render/packages.ts';

export async function run({ machine, request, ui, output, options, directory }: Context): Promise<number> {
  const target = path.resolve(directory, options.value('destdir') ?? '.');
  const { world, files } = await download(machine, request, target, ui);
  tellNotices(ui, world);
  if (options.flag('json')) {
    const listed = files.map(asDownloaded);
    output.out(jsonText(packagesJson(listed, world)));
  } else if (!options.flag('quiet')) {
    output.out(files.map(({ file }) => `${clean(file ?? '')}\n`).join(''));
  }
  if (files.length === 0) ui.note('Nothing to download: no live patch is on offer that `install` would take.');
  return EXIT.done;
}

/** A package of a repository with the place it was put in. */
export function asDownloaded({ package: pkg, file }: Downloaded): Listed {
  const listed = asListed(pkg, 'available');
  return file === null ? listed : { ...listed, path: file };
}

export function failureJson(error: KpmError): unknown {
  return packagesJson([], null, errorJson(error));
}
