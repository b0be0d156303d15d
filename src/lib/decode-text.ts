/**
 * The text of a file that a person made. Windows PowerShell 5 writes UTF-16 with `>` and `Out-File`, and appends UTF-16
 * without a byte order mark to a file that was UTF-8 with `>>`. Everything else is UTF-8. A byte order mark is no part of the text.
 */
export function decodeText(bytes: Buffer): string {
  const marked = markedEncoding(bytes);
  if (marked === 'utf-16le') return decodeLittleEndian(bytes.subarray(2));
  if (marked === 'utf-16be') return decodeLittleEndian(swapped(bytes.subarray(2)));
  const utf8 = bytes.subarray(0, 3).equals(UTF8_MARK) ? bytes.subarray(3) : bytes;
  const nul = utf8.indexOf(0);
  // No text file in UTF-8 has a NUL; nearly every character that people type has one in UTF-16.
  if (nul < 0) return utf8.toString('utf8');
  if (nul === 0) {
    const text = decodeLittleEndian(swapped(utf8));
    return text.includes('\0') ? utf8.toString('utf8') : text;
  }
  const tail = decodeLittleEndian(utf8.subarray(nul - 1));
  return tail.includes('\0') ? utf8.toString('utf8') : utf8.toString('utf8', 0, nul - 1) + tail;
}

/** Whether `bytes` are text in UTF-16, with or without a byte order mark, or have such text at their end. */
export function hasUtf16(bytes: Buffer): boolean {
  if (markedEncoding(bytes) !== undefined) return true;
  return bytes.includes(0) && !decodeText(bytes).includes('\0');
}

/** `text` in the encoding that the byte order mark of `file` names; UTF-8 where there is none. For appending to that file. */
export function encodeLike(file: Buffer, text: string): Buffer {
  const marked = markedEncoding(file);
  if (marked === undefined) return Buffer.from(text, 'utf8');
  const little = Buffer.from(text, 'utf16le');
  return marked === 'utf-16le' ? little : swapped(little);
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function markedEncoding(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** Whole characters only: half of one at the end is no text. */
function decodeLittleEndian(bytes: Buffer): string {
  return bytes.toString('utf16le', 0, bytes.length - (bytes.length % 2));
}

/** A copy with the two bytes of each character exchanged. */
function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16();
}
