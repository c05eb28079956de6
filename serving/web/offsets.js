/**
 * The server counts Unicode code points or UTF-8 bytes, a JavaScript string counts UTF-16 units.
 * Each table gives, at such an offset, the place in the string; an offset within a character gives
 * the character's start, one beyond the end the string's length.
 */

/** "a😀b" ▶ at(0) 0, at(1) 1, at(2) 3, at(3) 4. */
export function codePointOffsets(text) {
  return table(text, () => 1);
}

/** "é😀" ▶ at(0) 0, at(2) 1, at(6) 3. */
export function byteOffsets(text) {
  return table(text, utf8Length);
}

/** Lone surrogates are no Unicode and have no UTF-8; each becomes U+FFFD, of the same length. */
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

function table(text, width) {
  const places = [];
  let place = 0;
  for (const character of text) {
    for (let n = width(character.codePointAt(0)); n > 0; n -= 1) places.push(place);
    place += character.length;
  }
  return { at: (offset) => (offset < places.length ? places[offset] : text.length) };
}

function utf8Length(codePoint) {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
