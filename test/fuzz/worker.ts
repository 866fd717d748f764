// One block of a campaign in a process of its own, so that its memory can be told and a hang can be ended.
// Started by campaign.ts; speaks by messages.
import { runInputs } from './engine.ts';
import { allTargets } from './targets/all.ts';

const [seed = 0, from = 0, to = 0, careful = 0] = process.argv.slice(2, 6).map(Number);
const targets = await allTargets(process.env.KPATCH_PM_FUZZ_CORPUS || null);
// The campaign was ended: so is this.
process.once('disconnect', () => process.exit());
process.send?.({ ready: true });
const EVERY = 500;
const tally = await runInputs(targets, seed, from, to, (index) => {
  if (careful || index % EVERY === 0) process.send?.({ at: index });
});
process.send?.({ tally }, () => process.disconnect());
