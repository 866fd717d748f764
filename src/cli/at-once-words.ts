// Which command lines may be answered without loading the program.

export const HELP: readonly string[] = ['--help', '-h'];

/** Whether it is worth loading at-once.ts for these arguments. */
export const mayAnswerAtOnce = (args: readonly string[]): boolean =>
  args.length <= 2 && ['--version', ...HELP].includes(args.at(-1) ?? '');
