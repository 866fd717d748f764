// Whole processes: how long they take, and how much memory they and what they start come to.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The whole environment of what is measured: options and certificates of node's own would be read at its start. */
export const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C' };

export interface Command {
  readonly argv: readonly string[];
  /** Brings the machine into the state before the command; not measured. */
  readonly before?: () => void;
}

function start({ argv }: Command) {
  const [program = '', ...args] = argv;
  return spawn(program, args, { env: ENV, stdio: ['ignore', 'ignore', 'pipe'] });
}

function ended(child: ReturnType<typeof start>, { argv }: Command): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`${argv.join(' ')} ended with status ${status}: ${said.slice(-2000)}`));
    });
  });
}

/** Processor time of all children that have ended so far, and of theirs, ms. Source: proc(5), cutime and cstime. */
function childrenTime(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  // A tick is 10 ms on every Linux that node runs on (sysconf(3), _SC_CLK_TCK).
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

export interface Time {
  /** Milliseconds from start to end. */
  readonly wall: number;
  /** Processor time of the process and all it started, ms, in steps of ten. */
  readonly cpu: number;
}

/** Runs it once. */
export async function timeOf(command: Command): Promise<Time> {
  command.before?.();
  const used = childrenTime();
  const since = performance.now();
  await ended(start(command), command);
  return { wall: performance.now() - since, cpu: childrenTime() - used };
}

export interface Memory {
  /** Highest resident size of the largest process, MB. */
  readonly largest: number;
  /** The highest resident sizes of all processes added up, MB; they need not have been reached together. */
  readonly sum: number;
}

/** The process and all it started, as /proc knows them now. */
function family(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(family)];
  } catch {
    // It ended while we looked.
    return [];
  }
}

/** VmHWM, the kernel's own record of the highest resident size, MB; null when the process is gone. Source: proc(5). */
function highWater(pid: number): number | null {
  try {
    const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? null : Number(found) / 1024;
  } catch {
    return null;
  }
}

/** Runs it once more, watched every two milliseconds: apart from the timing, for watching costs time. */
export async function memoryOf(command: Command): Promise<Memory> {
  command.before?.();
  const child = start(command);
  const seen = new Map<number, number>();
  const look = (): void => {
    for (const pid of child.pid === undefined ? [] : family(child.pid)) {
      const high = highWater(pid);
      if (high !== null) seen.set(pid, high);
    }
  };
  const timer = setInterval(look, 2);
  try {
    look();
    await ended(child, command);
  } finally {
    clearInterval(timer);
  }
  const all = [...seen.values()];
  return { largest: Math.max(...all), sum: all.reduce((total, one) => total + one, 0) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export interface Measured {
  readonly label: string;
  /** Milliseconds, one per round. */
  readonly times: readonly number[];
  /** Mean processor time, ms: hardly moved by what else the machine does. */
  readonly cpu: number;
  readonly memory: Memory;
}

/**
 * Times every command once per round, so that a slow spell of the machine falls on all of them; a first round warms the
 * page cache and does not count.
 */
export async function interleaved(
  commands: ReadonlyMap<string, Command>,
  rounds: number,
  tell: (text: string) => void,
): Promise<Map<string, Measured>> {
  const times = new Map([...commands.keys()].map((label) => [label, [] as Time[]]));
  for (let round = 0; round <= rounds; round++) {
    tell(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const [label, command] of commands) {
      const time = await timeOf(command);
      if (round > 0) times.get(label)?.push(time);
    }
  }
  const results = new Map<string, Measured>();
  for (const [label, command] of commands) {
    const all = times.get(label) ?? [];
    const cpu = all.reduce((total, one) => total + one.cpu, 0) / Math.max(1, all.length);
    results.set(label, { label, times: all.map(({ wall }) => wall), cpu, memory: await memoryOf(command) });
  }
  return results;
}

/** The median of the ratios within each round: what travels from machine to machine. */
export function ratio(one: Measured, other: Measured): number {
  return median(one.times.map((time, round) => time / (other.times[round] as number)));
}
