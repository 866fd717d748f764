// What hangs on functions of the running kernel, read from tracefs and debugfs. Nothing is mounted for it.
import type { KernelFunction, Probe, Probes } from '../domain/probes.ts';
import { KpmError } from '../errors.ts';
import { parseEnabledFunctions, parseKprobeEvents, parseKprobesList } from '../formats/tracefs/probes.ts';
import type { Root } from './root.ts';

/** Each list and the places where it may be; a function tracer over the whole kernel makes the last some megabytes long. */
const LISTS: readonly (readonly [readonly string[], (text: string) => Probe[]])[] = [
  [['sys/kernel/debug/kprobes/list'], parseKprobesList],
  [['sys/kernel/tracing/kprobe_events', 'sys/kernel/debug/tracing/kprobe_events'], parseKprobeEvents],
  [['sys/kernel/tracing/enabled_functions', 'sys/kernel/debug/tracing/enabled_functions'], parseEnabledFunctions],
];

/** Every probe of the running kernel; `unknown` names the lists that could not be read. */
export function kernelProbes(sys: Root): Probes {
  const probes: Probe[] = [];
  const unknown: string[] = [];
  for (const [places, parse] of LISTS) {
    const text = places.map((place) => readable(sys, place)).find((found) => found !== null);
    if (text === undefined) unknown.push(`/${places[0]}`);
    else for (const probe of parse(text ?? '')) probes.push(probe);
  }
  return { probes, unknown };
}

function readable(sys: Root, place: string): string | null {
  try {
    return sys.readText(place, 64 * 1024 * 1024);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** The functions a loaded live patch replaces: /sys/kernel/livepatch/MODULE/OBJECT/FUNCTION,POSITION. */
export function replacedFunctions(sys: Root, module: string): KernelFunction[] {
  const base = `sys/kernel/livepatch/${module}`;
  return sys
    .list(base)
    .filter((object) => sys.stat(`${base}/${object}`)?.isDirectory())
    .flatMap((object) =>
      sys
        .list(`${base}/${object}`)
        .flatMap((entry) => /^(.+),\d+$/.exec(entry)?.[1] ?? [])
        .map((name) => ({ object, name })),
    );
}
