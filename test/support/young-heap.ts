// For test/unit/host/heap.test.ts: how large the young part of the heap gets where much passes through it, MiB.
//   young-heap.ts grow | keep
import v8 from 'node:v8';
import { keepHeapYoung } from '../../src/host/heap.ts';

if (process.argv[2] === 'keep') keepHeapYoung();
const ring: object[] = [];
for (let n = 0; n < 3_000_000; n++) ring[n % 50_000] = { n };
const young = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
console.log(Math.round((young?.space_size ?? 0) / 2 ** 20));
