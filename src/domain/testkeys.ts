// Keys whose secret halves lie in the source tree (repo-fixtures/keys): anybody can sign with them, so a production root
// must refuse them whatever its keyring says. A test compares this list with repo-fixtures/keys/fingerprints.json.

/** OpenPGP v4 fingerprints, upper case, of every published test key. */
export const TEST_KEY_FINGERPRINTS: readonly string[] = [
  '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B', // release, RSA 4096
  '3345DB31EB5E99A2A45533F4982AF4F0B3C46DAB', // ed25519
  'BB54E1EEDC0B369655345C8ADE27E854E9275F5B', // other-vendor, RSA 2048
  'DCEFAE806990F90BB56CB3B13E954821BDB680D0', // expired, RSA 2048
  '45B40A853BBC08926ECB716A1162C3ABF0376880', // revoked, RSA 2048
  'A87FB13273300D42C9329EC8F8961CE6024D11AC', // weak-dsa, DSA 1024
];

/** Whether a fingerprint (any case) is one of the published test keys. */
export function isTestKey(fingerprint: string): boolean {
  return TEST_KEY_FINGERPRINTS.includes(fingerprint.toUpperCase());
}
