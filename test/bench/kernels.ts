// The kernels of the benchmark's repositories: forty, as a vendor keeps them over several minor releases.

export interface BenchKernel {
  readonly version: string;
  readonly release: string;
  /** `uname -r` */
  readonly uname: string;
  /** As in the name of its live patches. */
  readonly short: string;
}

const MINORS = [70, 162, 284, 362, 427, 503] as const;

/** `count` kernels, the oldest first. */
export function benchKernels(count: number): BenchKernel[] {
  return Array.from({ length: count }, (_, n) => {
    const minor = Math.floor((n * MINORS.length) / count);
    const build = `${MINORS[minor]}.${5 + 3 * (n % 30)}.1`;
    const release = `${build}.el9_${minor}`;
    return {
      version: '5.14.0',
      release,
      uname: `5.14.0-${release}.x86_64`,
      short: `5_14_0-${build.replaceAll('.', '_')}`,
    };
  });
}

export interface BenchPatch {
  readonly kernel: BenchKernel;
  readonly version: string;
  readonly release: string;
}

/** Levels 0-0, 1-1 ... 1-10, 2-1 ... spread over two thirds of the kernels; the older third has none any more. */
export function benchPatches(kernels: readonly BenchKernel[], count: number): BenchPatch[] {
  const patched = kernels.slice(Math.floor(kernels.length / 3));
  const patches: BenchPatch[] = [];
  for (let n = 0; n < count && patched.length > 0; n++) {
    const kernel = patched[n % patched.length] as BenchKernel;
    const level = Math.floor(n / patched.length);
    const [version, release] = level === 0 ? [0, 0] : level < 11 ? [1, level] : [2, level - 10];
    patches.push({ kernel, version: String(version), release: `${release}.el9_${kernel.release.split('el9_')[1]}` });
  }
  return patches;
}
