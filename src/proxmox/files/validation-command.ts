import { AppError } from '../../lib/errors.ts';
import { shellWord } from '../../lib/quote.ts';

/** Stands for the path of the new file in a validation command. */
const PLACE = '{}';

/** Whether the command names the new file. */
export function placeIn(command: string): boolean {
  return command.includes(PLACE);
}

/**
 * The command with the path of the new file. A usual path is put in as it is, so that `{}` may be in quotes. A path with other
 * characters is quoted; within quotes of the command they would end these, and the shell would expand the path.
 * @throws AppError INVALID_INPUT
 */
export function validationCommand(command: string, file: string): string {
  const word = shellWord(file);
  if (word !== file && placeInQuotes(command)) {
    throw new AppError(
      'INVALID_INPUT',
      `\`{}\` in \`validate\` is in quotes, but the path ${JSON.stringify(file)} has to be quoted itself. The file was not changed.`,
      'Write {} without quotes.',
    );
  }
  return command.replaceAll(PLACE, () => word);
}

function placeInQuotes(command: string): boolean {
  let open = '';
  for (let at = 0; at < command.length; at++) {
    const character = command.charAt(at);
    if (open !== '' && command.startsWith(PLACE, at)) return true;
    if (character === '\\' && open !== "'") at++;
    else if (character === open) open = '';
    else if (open === '' && /['"`]/.test(character)) open = character;
  }
  return false;
}
