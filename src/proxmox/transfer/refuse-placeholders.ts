import { findPlaceholder, LONGEST_PLACEHOLDER, placeholderInInput } from '../../lib/placeholder.ts';
import { chunksOf, type OpenFile } from './read-chunks.ts';

/** What an assistant edits is text of a moderate size. Larger files are not read twice for this. */
const MAX_SEARCHED = 16 * 1024 * 1024;

/**
 * Searches a local file for placeholders of redacted secrets: an assistant that writes back what it was shown would destroy
 * the secrets in the destination.
 * @throws AppError PLACEHOLDER_IN_INPUT
 */
export async function refusePlaceholders(source: OpenFile): Promise<void> {
  if (source.size > MAX_SEARCHED) return;
  let rest = '';
  for await (const chunk of chunksOf(source)) {
    // A placeholder is ASCII, and may lie across two chunks.
    const text = rest + chunk.toString('latin1');
    const placeholder = findPlaceholder(text);
    if (placeholder !== undefined) throw placeholderInInput(`The local file ${source.path}`, placeholder);
    rest = text.slice(-LONGEST_PLACEHOLDER);
  }
}
