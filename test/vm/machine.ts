// One virtual machine: started, told what to run, ended. Emulated (TCG) on purpose: a /dev/kvm that exists need not work.
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { Cpio } from './cpio.ts';
import { driverArchive, guestArchive } from './guest.ts';
import type { Kernel } from './kernels.ts';
import { scratch } from './place.ts';

export interface GuestOptions {
  readonly kernel: Kernel;
  /** Guest path -> file or directory of the host, or text. */
  readonly files?: Readonly<Record<string, string | { readonly text: string; readonly mode?: number }>>;
  /** Image that becomes /var and outlives the machine (see disk.ts). */
  readonly disk?: string;
  /** Two where a transition must be seen, one for speed. */
  readonly cpus?: 1 | 2;
  readonly memory?: number;
  /** File that plays the firmware's store of crash logs (ACPI ERST) and outlives the machine. */
  readonly pstore?: string;
  /** More words for the kernel command line. */
  readonly parameters?: string;
}

export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

const BOOT_SECONDS = 120;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Guest {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #ended: Promise<number | null>;
  #port: net.Socket | null = null;
  #buffer = '';
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | null = null;
  #number = 0;

  private constructor(process: ChildProcess, directory: string) {
    this.#process = process;
    running.add(process);
    this.#directory = directory;
    this.#ended = new Promise((resolve) => process.on('close', resolve));
    void this.#ended.then(() => running.delete(process));
    void this.#ended.then(() => this.#waiting?.reject(new Error(`the guest ended:\n${this.console(40)}`)));
  }

  /** Boots and waits until the guest answers. */
  static async boot(options: GuestOptions): Promise<Guest> {
    const directory = scratch('run');
    const initrd = path.join(directory, 'initrd');
    copyFileSync(guestArchive(), initrd);
    await appendFile(initrd, readFileSync(driverArchive(options.kernel)));
    const cpio = new Cpio(path.join(directory, 'files'));
    for (const [target, source] of Object.entries(options.files ?? {})) {
      if (typeof source === 'string') cpio.copy(target.replace(/^\//, ''), source);
      else cpio.file(target, source.text, source.mode ?? 0o644);
    }
    cpio.end();
    await appendFile(initrd, readFileSync(path.join(directory, 'files')));
    const port = path.join(directory, 'port');
    const child = spawn('/usr/bin/qemu-system-x86_64', qemu(options, directory, initrd, port), { stdio: 'ignore' });
    const guest = new Guest(child, directory);
    await guest.#connect(port);
    return guest;
  }

  /** Runs a bash script as root in the guest. A script that takes longer than `seconds` gives status 124. */
  async run(script: string, seconds = 120): Promise<Said> {
    const number = String(++this.#number);
    this.#port?.write(`${number} ${seconds} ${Buffer.from(script).toString('base64')}\n`);
    const line = await this.#line(seconds + 30);
    const [answered, status, out = '=', err = '='] = line.split(' ');
    if (answered !== number) throw new Error(`the guest answered out of turn: ${line.slice(0, 80)}`);
    const text = (word: string): string => Buffer.from(word.slice(1), 'base64').toString('utf8');
    return { status: Number(status), out: text(out), err: text(err) };
  }

  /** The same, where anything but status 0 is a failure of the test. Gives stdout without the last line end. */
  async must(script: string, seconds?: number): Promise<string> {
    const said = await this.run(script, seconds);
    if (said.status !== 0) throw new Error(`in the guest: ${script}\nstatus ${said.status}\n${said.out}${said.err}`);
    return said.out.trimEnd();
  }

  /** The last lines of the console. */
  console(lines = 1000): string {
    try {
      const text = readFileSync(path.join(this.#directory, 'console'), 'utf8').replaceAll('\r', '');
      return text.trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no console)';
    }
  }

  /** Waits until the machine ends by itself (a panic, a power-off): true; false when it did not within `seconds`. */
  async ends(seconds: number): Promise<boolean> {
    const timer = new Promise<false>((resolve) => setTimeout(() => resolve(false), seconds * 1000).unref());
    return Promise.race([this.#ended.then(() => true as const), timer]);
  }

  /** Pulls the plug and removes the machine. */
  async off(): Promise<void> {
    this.#waiting = null;
    this.#port?.destroy();
    this.#process.kill('SIGKILL');
    await this.#ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #connect(port: string): Promise<void> {
    for (let n = 0; ; n++) {
      try {
        this.#port = await connected(port);
        break;
      } catch (error) {
        if (n > 100 || this.#process.exitCode !== null) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    this.#port.setEncoding('utf8');
    this.#port.on('data', (text: string) => this.#receive(text));
    this.#port.on('error', () => {
      // The end of the machine is told by #ended.
    });
    const ready = await this.#line(BOOT_SECONDS);
    if (!ready.startsWith('READY')) throw new Error(`the guest began with: ${ready}`);
  }

  #receive(text: string): void {
    this.#buffer += text;
    const end = this.#buffer.indexOf('\n');
    if (end < 0 || !this.#waiting) return;
    const line = this.#buffer.slice(0, end);
    this.#buffer = this.#buffer.slice(end + 1);
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(line);
  }

  #line(seconds: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = null;
        reject(new Error(`the guest said nothing for ${seconds} s:\n${this.console(30)}`));
      }, seconds * 1000);
      // A machine that was switched off is not waited for; one that works keeps this process by itself.
      timer.unref();
      this.#waiting = {
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#receive('');
    });
  }
}

function connected(file: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(file);
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

function qemu(options: GuestOptions, directory: string, initrd: string, port: string): string[] {
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-machine', 'pc', '-m', String(options.memory ?? 1024)],
    ...['-smp', String(options.cpus ?? 1), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', options.kernel.vmlinux, '-initrd', initrd],
    // A panic ends the machine (-no-reboot), so that nobody waits for it.
    ...[
      '-append',
      `console=ttyS0 quiet panic=-1 oops=panic ${options.disk ? 'kpm.disk ' : ''}${options.parameters ?? ''}`,
    ],
    ...['-serial', `file:${path.join(directory, 'console')}`],
    ...['-chardev', `socket,id=agent,path=${port},server=on,wait=off`, '-device', 'virtio-serial-pci'],
    ...['-device', 'virtserialport,chardev=agent,name=kpm-test'],
    ...['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile='],
    ...(options.pstore ? ['-object', `memory-backend-file,id=erst,mem-path=${options.pstore},size=64K,share=on`] : []),
    ...(options.pstore ? ['-device', 'acpi-erst,memdev=erst'] : []),
    ...(options.disk ? ['-drive', `file=${options.disk},format=raw,if=none,id=var`] : []),
    ...(options.disk ? ['-device', 'virtio-blk-pci,drive=var'] : []),
  ];
}
