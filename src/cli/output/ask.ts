import * as clack from '@clack/prompts';

/** The user cancelled a prompt with Ctrl-C or Esc. */
export class PromptCancelled extends Error {}

type Cancelled = Extract<Awaited<ReturnType<typeof clack.text>>, symbol>;

async function answered<T>(answer: Promise<T | Cancelled>): Promise<T> {
  const value = await answer;
  if (clack.isCancel(value)) throw new PromptCancelled();
  return value;
}

/** Returns what is wrong with an input, or undefined if it is valid. */
type Validate = (text: string) => string | undefined;

/** Asks for a line of text. An empty answer means `preset`. @throws PromptCancelled */
export async function askText(
  message: string,
  preset: string,
  validate: Validate = () => undefined,
): Promise<string> {
  const text = await answered(
    clack.text({
      message,
      ...(preset === '' ? {} : { placeholder: preset, defaultValue: preset }),
      validate: (value) => validate((value ?? '').trim() || preset),
    }),
  );
  return text.trim() || preset;
}

/** Asks for a line without echoing it. @throws PromptCancelled also when the signal aborts */
export function askSecret(
  message: string,
  options: { readonly output?: NodeJS.WriteStream; readonly signal?: AbortSignal } = {},
): Promise<string> {
  return answered(
    clack.password({ message, ...options, validate: (value) => (value ? undefined : 'Enter a value') }),
  );
}

export function askYesNo(message: string, preset: boolean): Promise<boolean> {
  return answered(clack.confirm({ message, initialValue: preset }));
}

export interface Choice<T> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string;
}

export async function askOne<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  preset?: T,
): Promise<T> {
  const options = choices.map((choice) => ({ ...choice }));
  const picked: string = await answered(
    clack.select<string>({ message, options, ...(preset === undefined ? {} : { initialValue: preset }) }),
  );
  return choiceOf(choices, picked);
}

export async function askSome<T extends string>(
  message: string,
  choices: readonly Choice<T>[],
  preset: readonly T[],
): Promise<readonly T[]> {
  const options = choices.map((choice) => ({ ...choice }));
  const picked: readonly string[] = await answered(
    clack.multiselect<string>({ message, options, initialValues: [...preset], required: false }),
  );
  return picked.map((value) => choiceOf(choices, value));
}

function choiceOf<T extends string>(choices: readonly Choice<T>[], picked: string): T {
  const found = choices.find(({ value }) => value === picked);
  if (found === undefined) throw new Error(`not among the choices: ${picked}`);
  return found.value;
}
