import { findPlaceholder, LONGEST_PLACEHOLDER, placeholderInInput } from '../../lib/placeholder.ts';
import { chunksOf, type OpenFile } from './read-chunks.ts';

/** Assistants edit text files of moderate size. Larger files are not searched, because that would read them twice. */
const MAX_SEARCHED = 16 * 1024 * 1024;

/**
 * Searches a local file for placeholders of redacted secrets. An assistant that writes redacted text back would destroy the
 * secrets in the destination.
 * @throws AppError PLACEHOLDER_IN_INPUT
 */
export async function refusePlaceholders(source: OpenFile): Promise<void> {
  if (source.size > MAX_SEARCHED) return;
  let rest = '';
  for await (const chunk of chunksOf(source)) {
    // A placeholder consists of ASCII characters, and may be split across two chunks.
    const text = rest + chunk.toString('latin1');
    const placeholder = findPlaceholder(text);
    if (placeholder !== undefined) throw placeholderInInput(`The local file ${source.path}`, placeholder);
    rest = text.slice(-LONGEST_PLACEHOLDER);
  }
}
