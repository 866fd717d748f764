// Counting what passed and what failed; a case is a list of steps that build on each other.
import type { Guest, GuestOptions } from './machine.ts';
import { Guest as Machine } from './machine.ts';

export interface Case {
  /** Name on the command line. */
  readonly name: string;
  readonly about: string;
  /** Whether it belongs to the short run that every change must pass. */
  readonly gate: boolean;
  run(check: Check): Promise<void>;
}

/** Ends a case early: a step failed, and the next ones would only fail for the same reason. */
class Abandoned extends Error {}

export class Check {
  passed = 0;
  failed = 0;
  readonly #guests: Guest[] = [];

  /** One thing that must hold. Later steps of the case are not tried after a failure. */
  async step(what: string, act: () => Promise<void>): Promise<void> {
    const began = Date.now();
    try {
      await act();
      this.passed++;
      console.log(`  ok    ${what} (${seconds(began)})`);
    } catch (error) {
      this.failed++;
      console.log(`  FAIL  ${what} (${seconds(began)})\n${indent((error as Error).stack ?? String(error))}`);
      throw new Abandoned();
    }
  }

  /** Boots a machine that is switched off at the end of the case at the latest. */
  async boot(options: GuestOptions): Promise<Guest> {
    const guest = await Machine.boot(options);
    this.#guests.push(guest);
    return guest;
  }

  /** Runs a case to its end, whatever happens in it. */
  async run(one: Case): Promise<void> {
    console.log(`\n${one.name}: ${one.about}`);
    const began = Date.now();
    try {
      await one.run(this);
    } catch (error) {
      if (!(error instanceof Abandoned)) {
        this.failed++;
        console.log(`  FAIL  ${one.name} could not be run\n${indent((error as Error).stack ?? String(error))}`);
      }
    } finally {
      for (const guest of this.#guests.splice(0)) await guest.off();
    }
    console.log(`  ${one.name} took ${seconds(began)}`);
  }
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const indent = (text: string): string => text.replace(/^/gm, '        ');
