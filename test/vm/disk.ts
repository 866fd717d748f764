// A disk for /var that outlives its machine, as after a reboot or a power cut.
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { command } from './command.ts';
import { scratch } from './place.ts';

export class Disk {
  readonly image: string;
  readonly #directory: string;

  constructor(megabytes = 128) {
    this.#directory = scratch('disk');
    this.image = path.join(this.#directory, 'var.img');
    writeFileSync(this.image, '');
    truncateSync(this.image, megabytes << 20);
    command('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0', this.image]);
  }

  /** Becomes what another disk is now. */
  copyOf(other: Disk): void {
    command('cp', ['--sparse=always', other.image, this.image]);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
