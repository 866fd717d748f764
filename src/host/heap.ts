// V8 doubles the young part of its heap, up to 16 MiB in three pieces, while much passes through it. For a stream of which
// nearly nothing is kept that is memory for nothing: 15 to 30 MB, and no time is saved (docs/performance.md).
import v8 from 'node:v8';

/** Major versions of node whose V8 is known to read this option whenever the young part is about to grow. */
const KNOWN = ['20', '22', '24'];

/**
 * From now on the young part of the heap stays as large as it is. To be called when all code is loaded: V8 takes no compiled
 * code, node's own neither, that was made under other options.
 */
export function keepHeapYoung(): void {
  const [major = ''] = process.versions.node.split('.', 1);
  if (KNOWN.includes(major)) v8.setFlagsFromString('--semi-space-growth-factor=1');
}
