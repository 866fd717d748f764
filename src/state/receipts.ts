// Receipts: what we installed, one file per kernel and package: receipts/KERNEL/NAME.json.
import { type KernelRelease, kernelRelease } from '../domain/kernel.ts';
import { RECEIPT_FORMAT, type Receipt } from '../domain/receipt.ts';
import { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import { checkState, STATE } from './directory.ts';
import { type Fields, type FileFormat, isFields, type Notice, readState, stateText, tolerant } from './format.ts';

const RECEIPTS = `${STATE}/receipts`;

const text = (value: unknown): value is string => typeof value === 'string';
const textOrNull = (value: unknown): boolean => value === null || text(value);

const isNevra = (value: unknown): boolean =>
  isFields(value) &&
  [value.name, value.version, value.release, value.arch].every(text) &&
  Number.isSafeInteger(value.epoch);

const isSigner = (value: unknown): boolean =>
  value === null || (isFields(value) && [value.fingerprint, value.keyid, value.owner].every(text));

const isFile = (value: unknown): boolean =>
  isFields(value) &&
  text(value.file) &&
  isModuleFile(value.file) &&
  [value.module, value.sha256].every(text) &&
  Number.isSafeInteger(value.size);

/** Whether a text can be the name of a module file: one component, printable, ends in `.ko`, no dot-file. */
export function isModuleFile(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._+~^-]{0,250}\.ko$/.test(name);
}

const isChange = (value: unknown): boolean =>
  isFields(value) && Number.isSafeInteger(value.time) && [value.author, value.text].every(text);

const isEarlier = (value: unknown): boolean =>
  isFields(value) &&
  isNevra(value.package) &&
  isSigner(value.signer) &&
  [value.modules, value.cves].every((list) => Array.isArray(list) && list.every(text));

/** A receipt within a receipt; none goes deeper. */
const isBefore = (value: unknown): boolean =>
  value === null || (isFields(value) && value.before === undefined && check(value) !== null);

/** Fields that came later: older receipts lack them. */
const listOrAbsent = (value: unknown, fits: (one: unknown) => boolean): boolean =>
  value === undefined || (Array.isArray(value) && value.every(fits));

function check(fields: Fields): Receipt | null {
  const sound =
    text(fields.kernel) &&
    kernelRelease(fields.kernel) !== null &&
    isNevra(fields.package) &&
    text(fields.repo) &&
    textOrNull(fields.url) &&
    isSigner(fields.signer) &&
    Array.isArray(fields.files) &&
    fields.files.every(isFile) &&
    [fields.packageSha256, fields.installedAt, fields.by, fields.askedBy].every(text) &&
    typeof fields.registered === 'boolean' &&
    [undefined, 'pending'].includes(fields.registration as undefined) &&
    [undefined, 'own'].includes(fields.support as undefined) &&
    (fields.before === undefined || isBefore(fields.before)) &&
    listOrAbsent(fields.changelog, isChange) &&
    listOrAbsent(fields.earlier, isEarlier);
  return sound ? (fields as unknown as Receipt) : null;
}

const FORMAT: FileFormat<Receipt> = { what: 'receipt', current: RECEIPT_FORMAT, migrations: {}, check };

/** Path of a receipt below the root. Raises `state-damaged` for a package name that is no file name. */
export function receiptPath(kernel: KernelRelease, name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,200}$/.test(name)) {
    throw new KpmError('state-damaged', {
      text: `The package name ${JSON.stringify(name)} cannot name a receipt.`,
      subject: name,
    });
  }
  return `${RECEIPTS}/${kernel}/${name}.json`;
}

export function receiptText(receipt: Receipt): string {
  return stateText(receipt);
}

/**
 * Every receipt of a root, by kernel and name. Without `notice`, damaged or newer ones raise `state-damaged`,
 * `state-newer`; with it (readers) they are told and left out, as are receipts this user may not read.
 */
export function readReceipts(root: Root, uid: number, notice?: Notice): Receipt[] {
  return tolerant(notice, [], () => {
    checkState(root, uid);
    return root.list(RECEIPTS).flatMap((kernel) => receiptsBelow(root, kernel, notice));
  });
}

/** The receipts of one kernel, whatever those of others are like. Raises `state-damaged`, `state-newer`. */
export function kernelReceipts(root: Root, uid: number, kernel: KernelRelease): Receipt[] {
  checkState(root, uid);
  return receiptsBelow(root, kernel, undefined);
}

function receiptsBelow(root: Root, kernel: string, notice: Notice | undefined): Receipt[] {
  return root
    .list(`${RECEIPTS}/${kernel}`)
    .filter((file) => file.endsWith('.json') && !file.startsWith('.'))
    .flatMap((file) =>
      tolerant(notice, [], () => {
        const receipt = readState(root, `${RECEIPTS}/${kernel}/${file}`, FORMAT);
        return receipt === null ? [] : [receipt];
      }),
    );
}
