// The built-in loader: insmod through the descriptor whose bytes were checked.
import type { Run } from '../../host/run.ts';
import type { Insertion, Loader, OpenModule } from './loader.ts';
import type { LoadTimes } from './times.ts';

/** `insmod /proc/self/fd/3`: nobody can swap the file between the check and the load. Raises `program-missing`. */
export function builtinLoader(run: Run, times: LoadTimes): Loader {
  return {
    name: 'builtin',
    async insert(module: OpenModule): Promise<Insertion> {
      const result = await run.run('insmod', ['/proc/self/fd/3'], { inherit: [module.fd], timeout: times.program });
      return { answer: insmodAnswer(result.status, result.stderr), text: result.stderr, tasks: [] };
    },
  };
}

/** What insmod's exit status and words mean. EBUSY is another transition, EEXIST a module of that name. */
export function insmodAnswer(status: number | null, text: string): Insertion['answer'] {
  if (status === 0) return { kind: 'ok' };
  if (/device or resource busy/i.test(text)) return { kind: 'busy', final: false };
  if (/file exists/i.test(text)) return { kind: 'exists' };
  return { kind: 'refused' };
}
