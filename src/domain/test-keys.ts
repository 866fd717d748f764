// Keys whose secret halves are published with the sources of kpatch-pm: the whole world can sign with them.

const TEST_KEYS: readonly string[] = [
  '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B',
  '3345DB31EB5E99A2A45533F4982AF4F0B3C46DAB',
  'BB54E1EEDC0B369655345C8ADE27E854E9275F5B',
  'DCEFAE806990F90BB56CB3B13E954821BDB680D0',
  '45B40A853BBC08926ECB716A1162C3ABF0376880',
  'A87FB13273300D42C9329EC8F8961CE6024D11AC',
];

/** Whether a key (by its fingerprint) is one of our published test keys: such a key is never trusted on a real root. */
export function isTestKey(fingerprint: string): boolean {
  return TEST_KEYS.includes(fingerprint);
}
