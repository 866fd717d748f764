// How a server is reached: what the configuration says about one repository's transfers, and what a request gives and takes.
// The shapes are those of dnf's options (dnf.conf(5)); a RepoConfig or MainConfig can be handed over as it is.

export interface TlsAccess {
  readonly verify: boolean;
  /** Absolute path on the host; null: the host's own store. */
  readonly caCert: string | null;
  readonly clientCert: string | null;
  /** Null while clientCert is set: the key is in the same file. */
  readonly clientKey: string | null;
}

export interface ProxyAccess {
  /** `unset`: the usual environment variables count; `none`: no proxy, whatever they say. */
  readonly use: 'unset' | 'none' | 'url';
  readonly url: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: TlsAccess;
}

export interface Access {
  readonly proxy: ProxyAccess;
  readonly ssl: TlsAccess;
  readonly sslVerifyStatus: boolean;
  readonly username: string | null;
  readonly password: string | null;
  /** Seconds without enough progress until a transfer is given up; 0: never. */
  readonly timeout: number;
  /** Attempts in all; 0: without end. */
  readonly retries: number;
  /** Bytes a second; slower than this for `timeout` seconds is given up. */
  readonly minrate: number;
  /** Bytes a second at most; 0: no limit. */
  readonly throttle: number;
  readonly ipResolve: 'any' | 4 | 6;
  /** Null: the program's own. */
  readonly userAgent: string | null;
}

/** What dnf does where nothing is configured (dnf.conf(5)). */
export const PLAIN_ACCESS: Access = {
  proxy: {
    use: 'unset',
    url: null,
    username: null,
    password: null,
    tls: { verify: true, caCert: null, clientCert: null, clientKey: null },
  },
  ssl: { verify: true, caCert: null, clientCert: null, clientKey: null },
  sslVerifyStatus: false,
  username: null,
  password: null,
  timeout: 30,
  retries: 10,
  minrate: 1000,
  throttle: 0,
  ipResolve: 'any',
  userAgent: null,
};

export interface OpenOptions {
  readonly access: Access;
  /** Most bytes of body that are taken. */
  readonly maxBytes: number;
  /** For messages: `repomd.xml of repository baseos`. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Statuses the caller can use; anything else is an error. 200 alone unless said. */
  readonly accept?: readonly number[] | undefined;
  /** GET unless said. */
  readonly method?: 'GET' | 'PUT' | undefined;
  /** Start at this byte (Range); the answer is 206, or 200 from the start where the server cannot. */
  readonly from?: number | undefined;
}

export interface Opened {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Buffer>;
  /** Bytes of the body as announced; null when not said. */
  readonly size: number | null;
  /** Where it came from after redirects, without credentials. */
  readonly url: string;
}

export interface Net {
  /**
   * Opens a file:, http: or https: URL for reading. The body must be read or left by breaking out of the loop.
   * Raises the codes of the network area: `url-refused`, `net-unreachable`, `net-timeout`, `net-cut`, `http-status`,
   * `http-forbidden`, `tls-untrusted`, `tls-material`, `proxy-failed`, `redirect-refused`, `too-large`.
   */
  open(url: string, options: OpenOptions): Promise<Opened>;
  /** Closes idle connections. */
  close(): Promise<void>;
}
