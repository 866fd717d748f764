// Numbers of the RPM file format that we read, and nothing else.
// Source: rpm's format documentation (format_header, format_v3, format_v4, format_v6) and its tag list.

/** Tags of the main header. */
export const TAG = {
  headerImage: 61,
  headerSignatures: 62,
  headerImmutable: 63,
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  description: 1005,
  buildTime: 1006,
  buildHost: 1007,
  size: 1009,
  vendor: 1011,
  license: 1014,
  packager: 1015,
  group: 1016,
  url: 1020,
  arch: 1022,
  oldFileNames: 1027,
  fileSizes: 1028,
  fileModes: 1030,
  fileMtimes: 1034,
  fileDigests: 1035,
  fileLinkTos: 1036,
  fileFlags: 1037,
  fileUserName: 1039,
  fileGroupName: 1040,
  sourceRpm: 1044,
  provideName: 1047,
  requireFlags: 1048,
  requireName: 1049,
  requireVersion: 1050,
  conflictFlags: 1053,
  conflictName: 1054,
  conflictVersion: 1055,
  changelogTime: 1080,
  changelogName: 1081,
  changelogText: 1082,
  obsoleteName: 1090,
  fileDevices: 1095,
  fileInodes: 1096,
  provideFlags: 1112,
  provideVersion: 1113,
  obsoleteFlags: 1114,
  obsoleteVersion: 1115,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  payloadFormat: 1124,
  payloadCompressor: 1125,
  longFileSizes: 5008,
  longSize: 5009,
  fileDigestAlgo: 5011,
  payloadDigest: 5092,
  payloadDigestAlgo: 5093,
  payloadDigestAlt: 5097,
  payloadSize: 5112,
  rpmFormat: 5114,
  payloadSha512: 5121,
  payloadSha512Alt: 5122,
  payloadSha3: 5123,
  payloadSha3Alt: 5124,
} as const;

/** Tags of the signature header; 1000 and above mean something else there than in the main header. */
export const SIGTAG = {
  dsaHeader: 267,
  rsaHeader: 268,
  sha1Header: 269,
  longSize: 270,
  sha256Header: 273,
  openpgp: 278,
  sha3Header: 279,
  size: 1000,
  pgp: 1002,
  md5: 1004,
  gpg: 1005,
  pgp5: 1006,
} as const;

/** Data types of header entries. */
export const TYPE = {
  char: 1,
  int8: 2,
  int16: 3,
  int32: 4,
  int64: 5,
  string: 6,
  bin: 7,
  stringArray: 8,
  i18nString: 9,
} as const;

/** Bits of FILEFLAGS that matter to us. */
export const FILE_FLAG = { config: 1, ghost: 64 } as const;

/** Hash algorithms by their OpenPGP number (RFC 9580 section 9.5), as FILEDIGESTALGO and PAYLOADDIGESTALGO use them; values are OpenSSL's names. */
export const HASH_BY_NUMBER: Readonly<Record<number, string>> = {
  1: 'md5',
  2: 'sha1',
  3: 'ripemd160',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  11: 'sha224',
  12: 'sha3-256',
  14: 'sha3-512',
};

/** Scriptlets: the name people use, and the tags of its text and its interpreter (either alone makes a scriptlet). */
export const SCRIPTLETS: readonly (readonly [name: string, ...tags: number[]])[] = [
  ['preinstall', 1023, 1085],
  ['postinstall', 1024, 1086],
  ['preuninstall', 1025, 1087],
  ['postuninstall', 1026, 1088],
  ['pretrans', 1151, 1153],
  ['posttrans', 1152, 1154],
  ['preuntrans', 5103, 5105],
  ['postuntrans', 5104, 5106],
  ['verify', 1079, 1091],
  ['trigger', 1065, 1092],
  ['filetrigger', 5066, 5067],
  ['transfiletrigger', 5076, 5077],
];
