// What hangs on functions of the running kernel besides live patches, and whether a live patch replaces such a function.

export interface KernelFunction {
  /** `vmlinux` or the name of a module. */
  readonly object: string;
  readonly name: string;
}

export interface Probe extends KernelFunction {
  readonly kind: 'kprobe' | 'kretprobe' | 'ftrace' | 'bpf';
  /** What is known of its owner: an event, a trampoline, a callback; null when nothing is. */
  readonly owner: string | null;
}

/** What was found, and which places could not be looked into: there the answer is "unknown", never "none". */
export interface Probes {
  readonly probes: readonly Probe[];
  readonly unknown: readonly string[];
}

/** The probes on functions that are replaced, each once; in the order of the probes. */
export function conflicting(functions: readonly KernelFunction[], { probes }: Probes): Probe[] {
  const replaced = new Set(functions.map(({ object, name }) => `${object}:${name}`));
  const seen = new Set<string>();
  return probes.filter((probe) => {
    const key = `${probe.object}:${probe.name}`;
    const own = `${key}:${probe.kind}:${probe.owner}`;
    if (!replaced.has(key) || seen.has(own)) return false;
    seen.add(own);
    return true;
  });
}

const WORDS: Record<Probe['kind'], string> = {
  kprobe: 'a kprobe',
  kretprobe: 'a kretprobe',
  ftrace: 'an ftrace user',
  bpf: 'a BPF trampoline',
};

/** `a kprobe (kprobes/myprobe) on do_sys_openat2`. */
export function probeText({ kind, owner, object, name }: Probe): string {
  const where = object === 'vmlinux' ? name : `${name} of ${object}`;
  return `${WORDS[kind]}${owner === null ? '' : ` (${owner})`} on ${where}`;
}
