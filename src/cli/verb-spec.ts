// What the table of verbs says of one verb.
export interface Example {
  readonly command: string;
  readonly what: string;
}

export interface VerbSpec {
  readonly name: string;
  /** Other spellings, those of `dnf kpatch` among them. */
  readonly aliases: readonly string[];
  /** What may follow the verb, as the help shows it; empty when nothing may. */
  readonly takes: string;
  /** The words that may follow, when they are a closed list. */
  readonly words?: readonly string[];
  /** Everything behind the verb is its own, options included. */
  readonly raw?: boolean;
  /** Options that this verb also takes under a name which means something else elsewhere: as written -> as in the table. */
  readonly spelling?: Readonly<Record<string, string>>;
  /** Prints text of a form of its own: --json is refused rather than ignored. */
  readonly noJson?: true;
  /** Does what it is told at once, or only tells: --dry-run is refused rather than ignored. */
  readonly noDryRun?: true;
  /** How many words must follow at least; none unless said. */
  readonly least?: number;
  readonly summary: string;
  /** Paragraphs. */
  readonly about: readonly string[];
  readonly examples: readonly Example[];
}
