// Who has the lock of a root, and how somebody else waits for it.

export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly since: string;
}

export interface LockOptions {
  /** Seconds to wait for somebody else; 0 does not wait. */
  readonly timeout: number;
  /** What is being done, as the user typed it. */
  readonly command: string;
  /** Told once when waiting begins. */
  readonly onWait?: (holder: Holder | null) => void;
}
