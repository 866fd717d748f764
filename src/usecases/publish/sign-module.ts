// Signing a module for Secure Boot as the kernel's own scripts/sign-file does: a detached PKCS#7 message behind the module, then
// struct module_signature, then the magic line. openssl makes the message: it is everywhere, and sign-file lies only where
// kernel headers are. Source: scripts/sign-file.c (the CMS flags), include/linux/module_signature.h.
import { KpmError } from '../../errors.ts';
import { moduleSignature, unsigned } from '../../formats/elf/signature.ts';
import type { Machine } from '../../host/machine.ts';
import { tool } from './tools.ts';

export interface ModuleKey {
  /** Absolute path on the host of the private key (PEM). */
  readonly key: string;
  /** Absolute path on the host of the certificate (PEM or DER); the same file where it holds both. */
  readonly certificate: string;
}

const MAGIC = Buffer.from('~Module signature appended~\n');
const PKCS7 = 2;

/** A module with a signature by this key; one that it had gives way. Raises `publish-failed`. */
export async function signModule(machine: Machine, bytes: Buffer, { key, certificate }: ModuleKey): Promise<Buffer> {
  const content = unsigned(bytes);
  const flags = ['-sign', '-binary', '-noattr', '-nosmimecap', '-nocerts', '-md', 'sha256', '-outform', 'DER'];
  const message = await tool(machine, 'openssl', ['cms', ...flags, '-signer', certificate, '-inkey', key], {
    input: content,
  });
  const trailer = Buffer.alloc(12);
  trailer.writeUInt8(PKCS7, 2);
  trailer.writeUInt32BE(message.length, 8);
  const signed = Buffer.concat([content, message, trailer, MAGIC]);
  if (moduleSignature(signed)?.keyid) return signed;
  throw new KpmError('publish-failed', { text: 'What openssl made is no signature of a module.', subject: 'openssl' });
}
