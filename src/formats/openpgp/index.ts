// OpenPGP as far as packages and keys need it: signatures, public keys, verdicts. No encryption, no secret keys.
export { armor } from './armor.ts';
export type { HostPolicy } from './host-policy.ts';
export { mergeKeys, type PublicKey, parseKeys, type VerifyingKey } from './keys.ts';
export { parseSignatures, type Signature } from './signature.ts';
export { type SignatureVerdict, type Verification, verifySignature } from './verify.ts';
