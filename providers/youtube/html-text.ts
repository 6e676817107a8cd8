// Found by position, not by pattern: a cell may be a megabyte of `<`, and a pattern would start over at each of them.

/** What stands between two marks. */
export function between(text: string, start: string, end: string): string | undefined {
  const from = text.indexOf(start);
  if (from === -1) return undefined;
  const to = text.indexOf(end, from + start.length);
  return to === -1 ? undefined : text.slice(from + start.length, to);
}

/** Address and text of the first link. */
export function linkOf(line: string): { readonly url: string; readonly text: string } | undefined {
  const url = between(line, LINK, '"');
  if (url === undefined) return undefined;
  const tagEnd = line.indexOf('>', line.indexOf(LINK) + LINK.length + url.length + 1);
  const close = tagEnd === -1 ? -1 : line.indexOf('</a>', tagEnd + 1);
  return close === -1 ? undefined : { url: textOf(url), text: textOf(line.slice(tagEnd + 1, close)) };
}

const LINK = '<a href="';
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** Text of a piece of HTML: tags out, entities resolved. */
export function textOf(html: string): string {
  const text = withoutTags(html);
  if (!text.includes('&')) return text.trim();
  return text
    .replace(
      /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,10}));/gi,
      (whole, decimal?: string, hex?: string, name?: string) => {
        if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
        const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
        return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
      },
    )
    .trim();
}

function withoutTags(html: string): string {
  let text = '';
  let at = 0;
  for (;;) {
    const open = html.indexOf('<', at);
    const close = open === -1 ? -1 : html.indexOf('>', open + 1);
    if (close === -1) return text + html.slice(at);
    text += html.slice(at, open);
    at = close + 1;
  }
}
