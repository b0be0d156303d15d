import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintSourceCode } from '@secretlint/types';
import type { Span } from './spans.ts';

/**
 * secretlint's rules for the tokens of many services, run without its core: that one lets a comment in the text
 * (`secretlint-disable`) switch rules off, and the text is the container's.
 */

/** Left to our own rules, which also find what is cut, or what is no secret by itself. */
const LEFT_OUT = /-(?:privatekey|basicauth|database-connection-string|gcp|filter-comments)$/;
/** An account's number opens nothing. */
const HARMLESS = new Set(['AWSAccountID']);
/** Access key ids are looked for only when asked. */
const OPTIONS = { enableIDScanRule: true };

let report: (span: Span) => void = () => {};

const scanners = rules
  .filter(({ meta }) => meta.type === 'scanner' && !LEFT_OUT.test(meta.id))
  .map((rule) =>
    rule.create(
      {
        sharedOptions: {},
        createTranslator: () => (messageId, data) => ({ message: '', messageId: String(messageId), data }),
        ignore: () => {},
        report: ({ message, range: [start, end] }) => {
          if (!HARMLESS.has(message.messageId)) report({ start, end, kind: 'token' });
        },
      },
      OPTIONS,
    ),
  );

/** The ids of the rules in use, for the test that holds them and the beginnings in tokens.ts together. */
export const VENDOR_RULES: readonly string[] = rules
  .filter(({ meta }) => meta.type === 'scanner' && !LEFT_OUT.test(meta.id))
  .map(({ meta }) => meta.id);

/** Tokens in a text. */
export function vendorTokens(content: string): Span[] {
  const found: Span[] = [];
  report = (span) => found.push(span);
  const source = sourceOf(content);
  for (const scanner of scanners) void scanner.file?.(source);
  report = () => {};
  return found;
}

function sourceOf(content: string): SecretLintSourceCode {
  const unused = () => {
    throw new TypeError('rules for text look at the content alone');
  };
  return {
    hasBOM: false,
    content,
    contentType: 'text',
    ext: '',
    filePath: undefined,
    physicalFilePath: undefined,
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
    locationToRange: unused,
    rangeToLocation: unused,
    positionToIndex: unused,
    indexToPosition: unused,
  };
}
