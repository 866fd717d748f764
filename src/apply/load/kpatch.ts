// The kpatch utility as loader. It waits for the transition itself (15 s, then 60 s), takes a stalled patch back, and says so.
// It loads by path: the file is hashed just before, and the loaded module is compared with the file afterwards.
import { livepatches, type StalledTask, stalledTasks } from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';
import type { Run, RunResult } from '../../host/run.ts';
import { insmodAnswer } from './builtin.ts';
import { runAsService, type Way } from './domain.ts';
import type { Insertion, Loader, OpenModule } from './loader.ts';
import type { LoadTimes, Stopwatch } from './times.ts';

/** Listing the tasks walks all of /proc, so not too often. */
const WATCH_PAUSE = 5_000;

export interface UtilityContext {
  readonly run: Run;
  readonly sys: Root;
  readonly times: LoadTimes;
  readonly stopwatch: Stopwatch;
  /** Absolute path of the utility. */
  readonly path: string;
  readonly way: Way;
  /** Told when the chosen way could not be taken. */
  readonly detail?: (text: string) => void;
}

export function kpatchLoader(context: UtilityContext): Loader {
  return {
    name: 'kpatch',
    async insert(module: OpenModule): Promise<Insertion> {
      const watch = watchTransition(context, module.module);
      try {
        const { status, stderr, stdout } = await start(context, module);
        const text = `${stderr}\n${stdout.toString('utf8')}`;
        const tasks = watch.tasks();
        // A service whose words could not be read: who was in the way says enough.
        const mute = status !== 0 && text.trim() === '' && tasks.length > 0;
        return { answer: mute ? { kind: 'stalled' } : utilityAnswer(status, text), text: stderr, tasks };
      } finally {
        await watch.end();
      }
    },
  };
}

async function start({ run, path, way, times, detail }: UtilityContext, module: OpenModule): Promise<RunResult> {
  if (way === 'service') {
    const unit = `kpatch-pm-load-${module.module}.service`;
    const result = await runAsService(run, unit, [path, 'load', module.path], times.utility);
    if (result !== null) return result;
    detail?.('systemd would not start the kpatch utility; it is started directly.');
  }
  return run.run(path, ['load', module.path], { timeout: times.utility });
}

/** What the utility's exit status and words mean. */
export function utilityAnswer(status: number | null, text: string): Insertion['answer'] {
  if (status === 0) return { kind: 'ok' };
  if (/transition stalled/i.test(text)) return { kind: 'stalled' };
  const answer = insmodAnswer(status, text);
  // It has tried five times by itself.
  return answer.kind === 'busy' ? { kind: 'busy', final: true } : answer;
}

interface Watch {
  tasks(): readonly StalledTask[];
  end(): Promise<void>;
}

/** Looks from time to time who is in the way: after the utility gave up there is nobody left to see. */
function watchTransition(context: UtilityContext, module: string): Watch {
  let seen: readonly StalledTask[] = [];
  const over = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await context.stopwatch.sleep(WATCH_PAUSE, over.signal);
      if (over.signal.aborted) return;
      const patch = livepatches(context.sys).find((one) => one.module === module);
      if (!patch?.enabled || !patch.transition) continue;
      const tasks = stalledTasks(context.sys, 1);
      if (tasks.length > 0) seen = tasks;
    }
  };
  const ended = loop();
  return {
    tasks: () => seen,
    end: () => {
      over.abort();
      return ended;
    },
  };
}
