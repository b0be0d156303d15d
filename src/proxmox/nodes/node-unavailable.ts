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

/** Whether the failure is that of another node, which the work used as well. */
export function isOfAnotherNode(error: unknown, node: string | null): boolean {
  return error instanceof NodeUnavailable && error.node !== node;
}
