// Staging the packages of a plan: two at a time, for while one is decompressed by another program the next can be verified.
// What is said of them is said in the order of the plan.
import type { Extracted } from '../apply/extract.ts';
import { inTurn } from '../apply/in-turn.ts';
import { checkSigners } from '../apply/load/signer.ts';
import type { Kept } from '../apply/spool.ts';
import { type InstallAction, isTake, type Outcome } from '../domain/plan.ts';
import type { Ui } from '../host/machine.ts';
import type { Application } from './application.ts';
import { attempt, isExpected } from './attempt.ts';
import { downloadAll } from './download.ts';
import { sideBySide } from './side-by-side.ts';
import { type StagedPatch, stage } from './stage.ts';
import { makeTrustees, type Trustees } from './trust.ts';

const AT_ONCE = 2;

interface Take {
  /** Which action of the plan it is. */
  readonly n: number;
  readonly action: InstallAction;
}

/** Fetches, verifies and extracts every package of the plan; failures are told and noted, the others go on. */
export async function stageAll(application: Application, outcomes: Outcome[]): Promise<Map<number, StagedPatch>> {
  const { observed, request, plan, spool, ui } = application;
  const trustees = oneByOne(makeTrustees(observed, request, ui));
  const takes: Take[] = [...plan.actions.entries()].flatMap(([n, action]) => (isTake(action) ? [{ n, action }] : []));
  const downloads = await downloadAll(
    observed,
    takes.map(({ action }) => action.package),
    ui,
  );
  const staged = new Map<number, StagedPatch>();
  const ended = new Map<number, () => void>();
  const untold = [...takes];
  const work = async ({ n, action }: Take): Promise<void> => {
    const later = saidLater(ui);
    let patch: StagedPatch | null = null;
    const act = async (): Promise<void> => {
      const keep = (extracted: Extracted): Promise<Kept> => {
        checkSigners(observed.machine, action.kernel, extracted.modules, later.ui);
        return spool.keep(extracted, action.package.installedSize ?? 0);
      };
      patch = await stage({ observed, trustees, downloads, keep, ui: later.ui }, action);
    };
    const outcome = await attempt(later.ui, act).catch((error: unknown) => {
      // The run ends here; what led to it is not kept back.
      later.say();
      throw error;
    });
    ended.set(n, () => {
      later.say();
      if (outcome.outcome === 'failed') {
        outcomes[n] = outcome;
        application.record.set(n, outcome);
      } else if (patch !== null) {
        staged.set(n, patch);
        application.stagedFor.set(action.kernel, patch);
      }
    });
    tellInOrder(untold, ended);
  };
  await sideBySide(takes, AT_ONCE, sizeOf, work);
  return staged;
}

/** Bytes of the largest level that may be taken, with its modules, as the metadata has them. */
function sizeOf({ action: { package: planned, fallbacks } }: Take): number {
  const sizes = [planned, ...fallbacks].map(
    ({ size, installedSize }) => (size ?? Number.POSITIVE_INFINITY) + (installedSize ?? 0),
  );
  return Math.max(...sizes);
}

/** Ends what is staged, as far as everything before it is; `untold` loses it. */
function tellInOrder(untold: Take[], ended: ReadonlyMap<number, () => void>): void {
  for (let first = untold[0]; first && ended.has(first.n); first = untold[0]) {
    ended.get(first.n)?.();
    untold.shift();
  }
}

/** Keys are asked for, and a person about them, for one package at a time; not at all once an answer ended the run. */
function oneByOne({ verify }: Trustees): Trustees {
  const next = inTurn();
  let over: { readonly error: unknown } | null = null;
  return {
    verify: (rpm, repoId) =>
      next(async () => {
        if (over !== null) throw over.error;
        try {
          return await verify(rpm, repoId);
        } catch (error) {
          if (!isExpected(error)) over = { error };
          throw error;
        }
      }),
  };
}

/** A Ui that keeps what is said until it may be said; questions and progress are nobody's turn. */
function saidLater(ui: Ui): { readonly ui: Ui; readonly say: () => void } {
  const words: (() => void)[] = [];
  return {
    ui: {
      ...ui,
      note: (text) => void words.push(() => ui.note(text)),
      warn: (text) => void words.push(() => ui.warn(text)),
      detail: (text) => void words.push(() => ui.detail(text)),
      failure: (text, hint) => void words.push(() => ui.failure(text, hint)),
    },
    say: () => {
      for (const word of words) word();
    },
  };
}
