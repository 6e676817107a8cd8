/** How an ISBN of ten digits begins when it has thirteen. */
const BOOKLAND = '978';

/** What stands inside `="0441013597"`, which keeps spreadsheets from taking the leading zero away. */
export function withoutFormula(cell: string): string {
  return cell.startsWith('=') ? cell.slice(1).replaceAll('"', '').trim() : cell;
}

/** An ISBN of thirteen digits, from one of either length; nothing for what is none, or mistyped. */
export function isbn13Of(text: string): string | undefined {
  // A cell can be huge.
  if (text.length > 20) return undefined;
  const plain = text.replace(/[\s-]/g, '').toUpperCase();
  if (/^97[89]\d{10}$/.test(plain)) return plain.endsWith(check13(plain)) ? plain : undefined;
  if (!/^\d{9}[\dX]$/.test(plain) || !plain.endsWith(check10(plain))) return undefined;
  const start = BOOKLAND + plain.slice(0, 9);
  return start + check13(start);
}

function check13(digits: string): string {
  const sum = [...digits.slice(0, 12)].reduce(
    (total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3),
    0,
  );
  return String((10 - (sum % 10)) % 10);
}

function check10(digits: string): string {
  const sum = [...digits.slice(0, 9)].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
  const check = (11 - (sum % 11)) % 11;
  return check === 10 ? 'X' : String(check);
}
