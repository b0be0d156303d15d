/**
 * The text of a file that a person has written. Windows PowerShell 5 writes UTF-16 with `>` and `Out-File`, and with `>>` it
 * appends UTF-16 without a byte order mark, even to a UTF-8 file. All other files are UTF-8. Byte order marks are removed.
 */
export function decodeText(bytes: Buffer): string {
  const marked = markedEncoding(bytes);
  if (marked === 'utf-16le') return decodeLittleEndian(bytes.subarray(2));
  if (marked === 'utf-16be') return decodeLittleEndian(swapped(bytes.subarray(2)));
  const utf8 = bytes.subarray(0, 3).equals(UTF8_MARK) ? bytes.subarray(3) : bytes;
  const nul = utf8.indexOf(0);
  // A NUL byte means UTF-16: UTF-8 text has none, and UTF-16 has one in nearly every common character.
  if (nul < 0) return utf8.toString('utf8');
  if (nul === 0) {
    const text = decodeLittleEndian(swapped(utf8));
    return text.includes('\0') ? utf8.toString('utf8') : text;
  }
  const tail = decodeLittleEndian(utf8.subarray(nul - 1));
  return tail.includes('\0') ? utf8.toString('utf8') : utf8.toString('utf8', 0, nul - 1) + tail;
}

/** Whether `bytes` are UTF-16 text, with or without a byte order mark, or end with UTF-16 text. */
export function hasUtf16(bytes: Buffer): boolean {
  if (markedEncoding(bytes) !== undefined) return true;
  return bytes.includes(0) && !decodeText(bytes).includes('\0');
}

/** Encodes `text` for appending to `file`: according to its byte order mark, or UTF-8 without one. */
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

/** Ignores an incomplete character at the end. */
function decodeLittleEndian(bytes: Buffer): string {
  return bytes.toString('utf16le', 0, bytes.length - (bytes.length % 2));
}

/** A copy with the two bytes of each character swapped. */
function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).swap16();
}
