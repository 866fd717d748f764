// Pins in a run: which keys may sign the live patches of a stream, and how a stream comes to be pinned.
// Why so: docs/decisions/pins.md.
import { isLivePatchName, STREAM } from '../decide/schemes/rhel.ts';
import type { Outcome } from '../domain/plan.ts';
import type { Signer } from '../domain/receipt.ts';
import { KpmError } from '../errors.ts';
import type { Ui } from '../host/machine.ts';
import { addPin, pinnedKeys, readPins } from '../state/pins.ts';
import { readReceipts } from '../state/receipts.ts';
import { spaced } from './consent.ts';
import type { Observed } from './observed.ts';
import type { Request } from './request.ts';

/** The live-patch streams that can be pinned: one for each vendor's naming scheme. */
export const STREAMS: readonly string[] = [STREAM];

/** The stream a package belongs to; null: it is no live patch. */
export function streamOf(name: string): string | null {
  return isLivePatchName(name) ? STREAM : null;
}

/**
 * The fingerprints that may sign for a stream; null when any trusted key may. What an administrator wrote into
 * kpatch-pm.conf goes before what was recorded. Raises `state-damaged`: a damaged record is never read as "no pins".
 */
export function pinsOf({ machine, config }: Pick<Observed, 'machine' | 'config'>, stream: string): string[] | null {
  const written = config.kpm.pinnedKeys.find((pin) => pin.stream === stream);
  return written ? [...written.fingerprints] : pinnedKeys(readPins(machine.root), stream);
}

/** Records a pin and says so. */
export function pin({ machine }: Pick<Observed, 'machine'>, stream: string, signer: Signer, ui: Ui): void {
  const { fingerprint, owner } = signer;
  addPin(machine.root, { stream, fingerprint, owner, since: machine.now().toISOString() });
  ui.note(
    `Live patches of the stream ${stream} are from now on taken only when the key ${fingerprint} (${owner}) signed them. Undo with: kpatch-pm keys unpin ${stream}`,
  );
}

/**
 * After a run that installed something: a stream without a pin is pinned to the one key that signed everything installed
 * of it; a person who can be asked is asked first. Several keys are named, and nothing is pinned.
 */
export async function proposePins(
  observed: Observed,
  request: Pick<Request, 'assumeYes' | 'unattended'>,
  outcomes: readonly (Outcome & { readonly stream: string | null })[],
  ui: Ui,
): Promise<void> {
  if (!observed.config.kpm.pinFirstSigner) return;
  const streams = new Set(outcomes.flatMap(({ outcome, stream }) => (outcome === 'done' && stream ? [stream] : [])));
  for (const stream of streams) {
    if (pinsOf(observed, stream) !== null) continue;
    const [signer, second] = signersOf(observed, stream);
    if (signer === undefined) continue;
    if (second !== undefined) {
      ui.warn(
        `The installed live patches of the stream ${stream} are signed by different keys (${signer.fingerprint}, ${second.fingerprint}): none is pinned. Pin those that may: kpatch-pm keys pin ${stream} FINGERPRINT`,
      );
    } else if (request.assumeYes || request.unattended || (await wanted(stream, signer, ui))) {
      pin(observed, stream, signer, ui);
    }
  }
}

/** Who signed what is installed of a stream, each key once; none where a receipt cannot be read: it may name another. */
function signersOf({ machine }: Observed, stream: string): Signer[] {
  let whole = true;
  const receipts = readReceipts(machine.root, machine.uid, () => {
    whole = false;
  });
  if (!whole) return [];
  const signers = receipts
    .filter((receipt) => streamOf(receipt.package.name) === stream)
    .flatMap(({ signer }) => signer ?? []);
  return [...new Map(signers.map((signer) => [signer.fingerprint, signer])).values()];
}

async function wanted(stream: string, { fingerprint, owner }: Signer, ui: Ui): Promise<boolean> {
  const question = `Live patches of the stream ${stream} were signed by this key:\n Userid     : "${owner}"\n Fingerprint: ${spaced(fingerprint)}\nShall only this key count for them from now on`;
  try {
    return await ui.confirm(question);
  } catch (error) {
    // What was to be done is done; a question that nobody can answer does not undo it.
    if (error instanceof KpmError && error.code === 'aborted') return false;
    throw error;
  }
}
