import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintSourceCode } from '@secretlint/types';
import type { Span } from './spans.ts';

/**
 * secretlint's rules for the tokens of many services, without its core, which allows a comment in the text
 * (`secretlint-disable`) to disable rules. The text comes from the container and must not be able to do that.
 */

/** Excluded: our own rules find these too, including truncated ones, or the match is not a secret by itself. */
const LEFT_OUT = /-(?:privatekey|basicauth|database-connection-string|gcp|filter-comments)$/;
/** Excluded: an account number is not a secret. */
const HARMLESS = new Set(['AWSAccountID']);
/** Option that includes access key ids. */
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

/** The ids of the rules in use, for the test that compares them with the beginnings in tokens.ts. */
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
