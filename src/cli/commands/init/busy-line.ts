import { unicodeOr } from '@clack/prompts';
import { redrawLine, textWidth } from '../../output/output.ts';

const FRAMES = [unicodeOr('◒', '•'), unicodeOr('◐', 'o'), unicodeOr('◓', 'O'), unicodeOr('◑', '0')];
const FRAME_MS = 80;
const CTRL_C = 3;

/** What `whileBusy` shows meanwhile. */
export type Show = (message: string) => void;

/**
 * Shows a line that moves until `work` is done, then removes it. The spinner of clack is not used, because it exits with code 0
 * on Ctrl-C; here Ctrl-C is a SIGINT as elsewhere. Other keys are ignored.
 */
export async function whileBusy<T>(message: string, work: (show: Show) => Promise<T>): Promise<T> {
  const { stdin, stdout } = process;
  let shown = message;
  let frame = 0;
  const draw = () => {
    const line = `${FRAMES[frame % FRAMES.length]}  ${shown}`;
    redrawLine(stdout, line.slice(0, textWidth(stdout) - 1));
    frame += 1;
  };
  const pressed = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) process.emit('SIGINT', 'SIGINT');
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  stdin.setRawMode(true);
  stdin.on('data', pressed).resume();
  try {
    return await work((text) => {
      shown = text;
    });
  } finally {
    clearInterval(timer);
    stdin.off('data', pressed).pause();
    stdin.setRawMode(false);
    redrawLine(stdout);
  }
}
