// The kernel's own lists of probes. Source: Documentation/trace/kprobes.rst (kprobes/list), kprobetrace.rst (kprobe_events),
// Documentation/trace/ftrace.rst (enabled_functions), kernel/trace/ftrace.c (t_show).
import type { Probe } from '../../domain/probes.ts';

/**
 * `debug/kprobes/list`: `ffffffff8d0c1d50  k  vfs_read+0x0  [module]  [DISABLED][FTRACE]`. Disabled ones count: they hang
 * on the function all the same.
 */
export function parseKprobesList(text: string): Probe[] {
  return text.split('\n').flatMap((line): Probe[] => {
    const match = /^[0-9a-f]+\s+([kr])\s+([^\s+]+)\+0x[0-9a-f]+(?:\s+([^\s[]\S*))?/.exec(line.trim());
    if (!match) return [];
    const [, kind, name = '', object] = match;
    return [{ kind: kind === 'r' ? 'kretprobe' : 'kprobe', name, object: object ?? 'vmlinux', owner: null }];
  });
}

/** `kprobe_events`: `p:kprobes/myprobe do_sys_open dfd=%ax`, `r4:GROUP/NAME MODULE:SYMBOL+0`. */
export function parseKprobeEvents(text: string): Probe[] {
  return text.split('\n').flatMap((line): Probe[] => {
    const match = /^([pr])\d*:(\S+)\s+(?:([^\s:]+):)?([A-Za-z_][^\s+:]*)/.exec(line.trim());
    if (!match) return [];
    const [, kind, owner = '', object, name = ''] = match;
    return [{ kind: kind === 'r' ? 'kretprobe' : 'kprobe', name, object: object ?? 'vmlinux', owner }];
  });
}

/**
 * `enabled_functions`: `NAME [MODULE] (COUNT) FLAGS  tramp: ... (CALLBACK)`, and on a line of its own `direct-->TRAMPOLINE`.
 * Live patches hang on functions the same way (klp_ftrace_handler) and are not listed here.
 */
export function parseEnabledFunctions(text: string): Probe[] {
  const entries = text.replace(/\n[ \t]+/g, '\t').split('\n');
  return entries.flatMap((line): Probe[] => {
    const match = /^(\S+)(?: \[(\S+)\])? \((\d+)\)(.*)$/.exec(line);
    if (!match) return [];
    const [, name = '', object = 'vmlinux', count, rest = ''] = match;
    const found: Probe[] = [];
    const direct = /direct(?:\(\S+\))?-->(\S+?)(?:\+0x\S+)?(?=\s|$)/.exec(rest)?.[1];
    if (direct !== undefined) found.push({ kind: 'bpf', name, object, owner: direct });
    // The flag I stands for the one user who may redirect the function: a live patch, unless its callback says otherwise.
    const redirects = /klp_ftrace_handler/.test(rest) || (/\sI(\s|$)/.test(rest) && !/tramp:/.test(rest));
    const callback = /\((?!klp_ftrace_handler)([A-Za-z_]\w*)\+0x/.exec(
      rest.replace(/tramp: \S+( \[\S+\])?/g, 'tramp:'),
    )?.[1];
    const others = Number(count) - (redirects ? 1 : 0) - (direct === undefined ? 0 : 1);
    if (others > 0 || (callback !== undefined && !redirects)) {
      const kind = callback?.startsWith('kprobe_') ? 'kprobe' : 'ftrace';
      if (others > 0) found.push({ kind, name, object, owner: callback ?? null });
    }
    return found;
  });
}
