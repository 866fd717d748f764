// What the table of options says of one option.
/** `flag` takes no value; of a `value` given twice the last counts; a `list` collects, in order. */
export type OptionKind = 'flag' | 'value' | 'list';

export interface OptionSpec {
  readonly name: string;
  /** One letter, used with a single dash. */
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly kind: OptionKind;
  /** How the value is called in the help. */
  readonly metavar?: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** A list whose values may hold several, separated by commas, as dnf has it. */
  readonly commas?: boolean;
  /** What is wrong with a value, or null. */
  readonly check?: (value: string) => string | null;
  readonly help: string;
  readonly group: OptionGroup;
  /** The only verbs that take it; every verb does unless said. */
  readonly verbs?: readonly string[];
}

export const OPTION_GROUPS = ['What to work on', 'Repositories and trust', 'Questions', 'Output'] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];
