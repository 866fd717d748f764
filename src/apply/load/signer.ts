// Who signed a module, against the keys of the kernel that is to take it: asked before anything is put in place, because a
// module that the kernel will refuse protects nobody, and at the next boot nobody is there to read why.
import { judgeSigner } from '../../domain/signing.ts';
import { KpmError } from '../../errors.ts';
import { moduleFacts } from '../../formats/elf/module.ts';
import { inKeyring, kernelKeys, signatureRule } from '../../host/keyring.ts';
import type { Machine, Ui } from '../../host/machine.ts';

export interface Unplaced {
  readonly module: string;
  readonly bytes: Buffer;
}

/**
 * Raises `signer-not-in-kernel` where the running kernel will certainly refuse one of the modules; warns where it most
 * likely will, for the kernel alone decides. Of another kernel nothing can be known until it runs: that is said with -v.
 */
export function checkSigners(
  machine: Pick<Machine, 'host' | 'live' | 'uname' | 'uid'>,
  kernel: string,
  modules: readonly Unplaced[],
  ui: Pick<Ui, 'warn' | 'detail'>,
): void {
  if (modules.length === 0) return;
  if (!machine.live || machine.uname !== kernel) {
    ui.detail(
      `Whether ${kernel} will accept who signed its live patch shows when it runs: its keys cannot be seen from here.`,
    );
    return;
  }
  const rule = signatureRule(machine.host);
  if (rule.enforced === false) return;
  const keys = kernelKeys(machine.host, machine.uid);
  for (const { module, bytes } of modules) {
    const { signature } = moduleFacts(bytes);
    const verdict = signature === null ? 'unknown' : inKeyring(signature, keys);
    const { answer, why } = judgeSigner(signature, verdict, keys?.keyrings ?? [], rule);
    if (answer === 'refused') {
      throw new KpmError('signer-not-in-kernel', {
        text: `${module} was not installed: it ${why}.`,
        subject: module,
        hint: 'Take the module its vendor signed for this kernel, or enrol the signing key (mokutil --import KEY), reboot, and run the same command again.',
      });
    }
    if (answer === 'doubtful') ui.warn(`${module} ${why}. The kernel will most likely refuse it.`);
    if (answer === 'unknown') ui.detail(`${module} ${why}.`);
  }
}
