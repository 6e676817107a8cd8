/**
 * Folds text for searching without regard to letter case, in any script. Fold both the text and what is searched for.
 *
 * Upper case first, then lower case, is what makes `ß` find `SS`; the final sigma and the dotted `İ` are the two
 * letters that this round trip leaves different from their plain forms.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFC')
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .replaceAll('i\u0307', 'i')
    .normalize('NFC');
}

const ASCII = /^[\x00-\x7f]*$/;
