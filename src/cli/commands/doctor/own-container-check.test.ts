import { expect, test } from 'vitest';
import { judgeOwnLocation } from './own-container-check.ts';

const OFF = { allowSelf: false, enableHostExec: false };
const HOST = { ...OFF, enableHostExec: true };
const SELF = { ...OFF, allowSelf: true };
const elsewhere = { vmids: new Set<number>(), onNode: false };
const inside = { vmids: new Set([101]), onNode: false };
const onNode = { vmids: new Set<number>(), onNode: true };

test.each([
  ['another machine', elsewhere, HOST, 'ok', 'not part of the node'],
  ['a container', inside, OFF, 'ok', '101: commands, changes and transfers there are refused'],
  ['a container, ALLOW_SELF', inside, SELF, 'warn', 'container 101, and ALLOW_SELF=true'],
  [
    'a container, ENABLE_HOST_EXEC',
    inside,
    HOST,
    'warn',
    'container 101 of the node, and ENABLE_HOST_EXEC=true',
  ],
  ['the node', onNode, OFF, 'ok', 'the node itself'],
  ['the node, ENABLE_HOST_EXEC', onNode, HOST, 'warn', 'the node itself, and ENABLE_HOST_EXEC=true'],
])('judges a server on %s', (_name, location, rules, verdict, detail) => {
  expect(judgeOwnLocation(location, rules)).toMatchObject({
    verdict,
    detail: expect.stringContaining(detail),
  });
});
