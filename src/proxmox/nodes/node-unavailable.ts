import { AppError } from '../../lib/errors.ts';

/** A node of the cluster that cannot be used. Nothing was sent to it. */
export class NodeUnavailable extends AppError {
  readonly node: string;

  /** @param why the failure of the connection, whose code and hint apply */
  constructor(node: string, why: AppError) {
    const message = why.message.includes(node) ? why.message : `Node ${node} cannot be used: ${why.message}`;
    super(why.code, message, why.hint, { cause: why });
    this.node = node;
  }
}

/** An error about a lost connection, with the name of the node; any other error unchanged. */
export function withNodeName(error: unknown, node: string | null): unknown {
  if (!(error instanceof AppError) || error.code !== 'DISCONNECTED' || node === null) return error;
  if (error.message.includes(node)) return error;
  const named = error.message.replace(/\bthe node\b/, `node ${node}`);
  const message = named === error.message ? `Node ${node}: ${error.message}` : named;
  return new AppError(error.code, message, error.hint, { cause: error });
}

/** Whether the failure is that of another node, which the work used as well. */
export function isOfAnotherNode(error: unknown, node: string | null): boolean {
  return error instanceof NodeUnavailable && error.node !== node;
}
