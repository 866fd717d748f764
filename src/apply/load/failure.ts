// Failed transitions in words.
import { KpmError } from '../../errors.ts';
import type { StalledTask } from '../../host/livepatch.ts';
import type { Course } from './drive.ts';
import type { Failure } from './transition.ts';

/** What is kept with a `transition-stalled` error for those who want the stacks. */
export interface StallReport {
  readonly tasks: readonly StalledTask[];
}

const TASKS_NAMED = 5;

/** `kpm_hold (222) in kpm_hold_wait`, the first few; `no task could be seen` where /proc says nothing. */
export function nameTasks(tasks: readonly StalledTask[]): string {
  if (tasks.length === 0) return 'the tasks in the way could not be seen';
  const named = tasks.slice(0, TASKS_NAMED).map((task) => {
    const frame = task.stack[0]?.replace(/\+0x.*$/, '');
    return `${task.comm} (${task.tid})${frame ? ` in ${frame}` : ''}`;
  });
  const more = tasks.length - named.length;
  return `in the way: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What became of a program that hangs in the kernel, for a module; every other error as it is. */
export function stuck(module: string, error: unknown): unknown {
  if (!(error instanceof KpmError && error.code === 'program-stuck')) return error;
  return new KpmError('load-stuck', {
    text: `The kernel does not come back from ${module}: ${error.reason} Whether it took effect is not known.`,
    subject: module,
    hint: 'See what the kernel says (dmesg | tail; cat /proc/PID/stack); only a reboot ends it. Should the next boot hang too, the one after leaves the module out.',
    cause: error,
  });
}

/** The error for a load that ended in a failure other than a refusal. */
export function failure(module: string, course: Course): KpmError {
  const { ending } = course;
  const kind: Failure = ending.ok ? 'refused' : ending.failure;
  const gone = !ending.ok && ending.gone;
  const seconds = Math.round(course.seconds);
  switch (kind) {
    case 'transition-stalled':
      return new KpmError('transition-stalled', {
        text:
          `${module} did not take effect within ${seconds} s; ${nameTasks(course.tasks)}. ` +
          (gone
            ? 'It was taken back: the kernel runs as before.'
            : 'It is still in transition: some tasks run the new code, others the old.'),
        subject: module,
        hint: gone
          ? 'Stop or restart what is in the way and load it again, or reboot: it is loaded at boot.'
          : 'Stop or restart what is in the way, then see `kpatch-pm status`; a reboot ends it too.',
        cause: { tasks: course.tasks } satisfies StallReport,
      });
    case 'transition-busy':
      return busy(module, course);
    case 'not-a-livepatch':
      return new KpmError('not-a-livepatch', {
        text: `${module} is an ordinary kernel module: the kernel took it, but nothing was patched. ${gone ? 'It was removed again.' : 'It could not be removed again.'}`,
        subject: module,
        hint: 'Reinstall the package the file should come from; check it with `kpatch-pm inspect FILE`.',
      });
    case 'module-in-use':
      return inUse(module);
    case 'not-loaded':
      return notLoaded(module);
    case 'load-undone':
      return new KpmError('load-undone', {
        text: `${module} was disabled again by somebody else while it was being loaded.`,
        subject: module,
        hint: 'Look for another program that manages live patches (the journal of kpatch.service), then load it again.',
      });
    case 'refused':
      return refusedWrite(module, course);
  }
}

/** The error for an unload that failed. */
export function unloadFailure(module: string, course: Course): KpmError {
  if (!course.ending.ok && course.ending.failure === 'transition-stalled') {
    return new KpmError('transition-stalled', {
      text: `${module} is still being taken out after ${Math.round(course.seconds)} s; ${nameTasks(course.tasks)}.`,
      subject: module,
      hint: 'Stop or restart what is in the way, then run the same command again; a reboot ends it too.',
      cause: { tasks: course.tasks } satisfies StallReport,
    });
  }
  return failure(module, course);
}

function busy(module: string, course: Course): KpmError {
  const other = course.busyWith === null ? 'Another live patch' : course.busyWith;
  return new KpmError('transition-busy', {
    text: `${module} was left as it is: ${other} is still in transition, and the kernel does one at a time.`,
    subject: module,
    hint: 'Wait until that one is done (`kpatch-pm status`) and run the same command again.',
  });
}

function inUse(module: string): KpmError {
  return new KpmError('module-in-use', {
    text: `The module ${module} is in the kernel without being an active live patch, and it cannot be taken out.`,
    subject: module,
    hint: 'Reboot to get rid of it.',
  });
}

function notLoaded(module: string): KpmError {
  return new KpmError('not-loaded', {
    text: `${module} is not loaded.`,
    subject: module,
    hint: 'See what is loaded: kpatch-pm status.',
  });
}

function refusedWrite(module: string, course: Course): KpmError {
  return new KpmError('module-in-use', {
    text: `The kernel did not disable ${module}: ${course.refusal || 'no reason was given'}.`,
    subject: module,
    hint: 'See the kernel log (dmesg | grep livepatch); a reboot starts afresh.',
  });
}
