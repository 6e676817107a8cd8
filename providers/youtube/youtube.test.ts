import { createRegistry, importFile, queryItems } from '@mca/core';
import { memory } from '@mca/core/adapters/memory';
import { collectImport, fileImportConformance, fileOf, makeZip } from '@mca/core/testing';
import { describe, expect, test } from 'vitest';
import { recordFigure } from '../../test/support/reliability.ts';
import { offsetOf, parseHtmlDate } from './html-dates.ts';
import { type YouTubeImportOptions, youtube } from './index.ts';
import { learnVerb, withoutVerb } from './verbs.ts';

const importer = youtube().capabilities.fileImport;
const read = (content: unknown, options?: YouTubeImportOptions, name = 'watch-history.json') =>
  collectImport(importer, [fileOf(name, typeof content === 'string' ? content : JSON.stringify(content))], { options });

const watch = (overrides: Record<string, unknown> = {}) => ({
  header: 'YouTube',
  title: 'Watched How to Tie a Knot',
  titleUrl: 'https://www.youtube.com/watch?v=aaaaaaaaaaa',
  subtitles: [{ name: 'Rope Lab', url: 'https://www.youtube.com/channel/UCropelab0000' }],
  time: '2026-01-15T10:30:00.123Z',
  products: ['YouTube'],
  activityControls: ['YouTube watch history'],
  ...overrides,
});
const without = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, undefined]));

describe('JSON', () => {
  test('a watch', async () => {
    const { items } = await read([watch()]);
    expect(items).toEqual([
      {
        platform: 'youtube',
        externalId: '1768473000:aaaaaaaaaaa',
        type: 'video',
        action: 'consumed',
        title: 'How to Tie a Knot',
        creator: 'Rope Lab',
        consumedAt: new Date('2026-01-15T10:30:00Z'),
        tags: [],
        url: 'https://www.youtube.com/watch?v=aaaaaaaaaaa',
        contentId: 'aaaaaaaaaaa',
        ids: { youtube: 'aaaaaaaaaaa' },
        source: 'takeout-json',
        precision: 'second',
        rawMetadata: { channelId: 'UCropelab0000' },
      },
    ]);
  });

  test('YouTube Music is music, without the suffix of its channels', async () => {
    const rows = [
      watch({ header: 'YouTube Music', subtitles: [{ name: 'Quiet Harbour - Topic' }] }),
      watch({ titleUrl: 'https://music.youtube.com/watch?v=bbbbbbbbbbb' }),
    ];
    const { items } = await read(rows);
    expect(items.map(({ type, creator }) => [type, creator])).toEqual([
      ['music', 'Quiet Harbour'],
      ['music', 'Rope Lab'],
    ]);
  });

  test('only watches are kept, told by their address', async () => {
    const rows = [
      watch(),
      watch({ titleUrl: 'https://www.youtube.com/shorts/ccccccccccc' }),
      watch({ titleUrl: 'https://youtu.be/ddddddddddd' }),
      watch({ details: [{ name: 'From Google Ads' }], ...without('subtitles') }),
      watch({ description: 'Watched at 11:39 AM', ...without('subtitles') }),
      watch({
        title: 'Searched for knots',
        titleUrl: 'https://www.youtube.com/results?search_query=knots',
        ...without('subtitles'),
      }),
      watch({ title: 'Viewed a post', titleUrl: 'https://www.youtube.com/post/Ugkx', ...without('subtitles') }),
      watch({ title: 'Visited YouTube Music', titleUrl: 'https://music.youtube.com/', ...without('subtitles') }),
      watch({ title: 'Answered survey question', ...without('titleUrl', 'subtitles') }),
      watch({ title: 'Watched a story', titleUrl: 'https://www.youtube.com/story/x', ...without('subtitles') }),
    ];
    const { read: count, items, skipped } = await read(rows);
    expect(count).toBe(10);
    expect(items.map(({ contentId, subtype }) => [contentId, subtype])).toEqual([
      ['aaaaaaaaaaa', undefined],
      ['ccccccccccc', 'short_video'],
      ['ddddddddddd', undefined],
    ]);
    expect(skipped).toEqual({ ad: 2, search: 1, post: 1, not_a_watch: 3 });
    expect((await read(rows, { skip: { ads: false } })).skipped.ad).toBeUndefined();
  });

  test('removed videos stay as unavailable, or are left out if wanted', async () => {
    const rows = [
      watch(),
      watch({ title: 'Watched a video that has been removed', ...without('titleUrl', 'subtitles') }),
    ];
    const { items } = await read(rows);
    expect(items[1]).toMatchObject({ title: 'a video that has been removed', tags: ['unavailable'], ids: {} });
    expect((await read(rows, { skip: { removed: true } })).skipped).toEqual({ removed: 1 });
  });

  test('a title that is an address gets a name', async () => {
    const { items } = await read([watch({ title: 'Watched https://www.youtube.com/watch?v=aaaaaaaaaaa' }), watch()]);
    expect(items[0]?.title).toBe('YouTube video aaaaaaaaaaa');
  });

  test('exports of before 2017', async () => {
    const { items } = await read([
      {
        snippet: { title: 'Old one', publishedAt: '2014-05-01T10:00:00.000Z', resourceId: { videoId: 'eeeeeeeeeee' } },
      },
      watch(),
    ]);
    expect(items[0]).toMatchObject({ externalId: '1398938400:eeeeeeeeeee', title: 'Old one' });
  });

  test.each([
    [{ time: 'yesterday' }, 'invalid_date', 'time'],
    [{ time: undefined }, 'invalid_date', 'time'],
    [{ title: 7 }, 'no_title', 'title'],
  ])('a bad record %j is told with its position', async (overrides, reason, field) => {
    const { items, rejected } = await read([watch(), watch(overrides)]);
    expect(items).toHaveLength(1);
    expect(rejected).toMatchObject([{ record: 2, reason, field }]);
  });
});

describe('the verb of the language', () => {
  test.each([
    [['Watched A', 'Watched B'], 'Watched\u00a0A'],
    [['A angesehen', 'B angesehen'], 'A angesehen'],
    [['A bekeken', 'B bekeken'], 'A bekeken'],
    [['Has visto A', 'Has visto B'], 'Has visto A'],
  ])('%j: %s is A', (titles, title) => expect(withoutVerb(title, learnVerb(titles))).toBe('A'));

  test('an unknown language is learnt from many titles, never from few', () => {
    const titles = Array.from(
      { length: 30 },
      (_, index) => `Katsottu: ${'abcdefghijklmnopqrstuvwxyzåäöü'[index]}${index} video`,
    );
    expect(learnVerb(titles).prefix).toBe('Katsottu: ');
    expect(learnVerb(['Katsottu: How to A', 'Katsottu: How to B'])).toEqual({ prefix: '', suffix: '' });
    expect(learnVerb([])).toEqual({ prefix: '', suffix: '' });
  });
});

const cell = ({
  title = '<a href="https://www.youtube.com/watch?v=aaaaaaaaaaa">How to Tie a Knot</a>',
  date = 'Jan 15, 2026, 11:30:00 AM CET',
  header = 'YouTube',
  extra = '',
  channel = '<a href="https://www.youtube.com/channel/UCropelab0000">Rope Lab</a><br>',
} = {}) =>
  `<div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid"><div class="header-cell mdl-cell mdl-cell--12-col"><p class="mdl-typography--title">${header}<br></p></div>` +
  `<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">Watched&nbsp;${title}<br>${channel}${date}<br></div>` +
  `<div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1 mdl-typography--text-right"></div>` +
  `<div class="content-cell mdl-cell mdl-cell--12-col mdl-typography--caption"><b>Products:</b><br> YouTube<br><b>Why is this here?</b><br> …${extra}</div></div></div>`;
const page = (...cells: string[]) =>
  `<!DOCTYPE html><html><head><style>.outer{}</style></head><body><div class="mdl-grid">${cells.join('')}</div></body></html>`;
const readHtml = (content: string, options?: YouTubeImportOptions) => read(content, options, 'watch-history.html');

describe('HTML', () => {
  test('gives the same event as JSON', async () => {
    const [json] = (await read([watch()])).items;
    const { items } = await readHtml(page(cell()));
    expect(items).toEqual([{ ...json, source: 'takeout-html' }]);
  });

  test('entities, music, advertisements and removed videos', async () => {
    const { items, skipped } = await readHtml(
      page(
        cell({
          title:
            '<a href="https://www.youtube.com/watch?v=aaaaaaaaaaa&amp;t=1">Tom &amp; &quot;Jo&#39;s&quot; &#x2764;</a>',
        }),
        cell({ header: 'YouTube Music', title: '<a href="https://music.youtube.com/watch?v=bbbbbbbbbbb">Song</a>' }),
        cell({ extra: '<b>Details:</b><br> From Google Ads' }),
        cell({ title: 'a video that has been removed', channel: '' }),
      ),
    );
    expect(items.map(({ title, type }) => [title, type])).toEqual([
      ['Tom & "Jo\'s" ❤', 'video'],
      ['Song', 'music'],
      ['Watched a video that has been removed', 'video'],
    ]);
    expect(skipped).toEqual({ ad: 1 });
  });

  test('R-061 dates: every shape that was seen, nothing guessed', () => {
    const seen: [string, string, string][] = [
      ['Mar 8, 2018, 5:14:40 PM', '2018-03-08T17:14:40Z', ''],
      ['Aug 17, 2026, 1:14:48\u202fPM CEST', '2026-08-17T13:14:48Z', 'CEST'],
      ['Aug 17, 2026, 12:00:01 AM UTC', '2026-08-17T00:00:01Z', 'UTC'],
      ['15 jun 2026, 9:30:41 CEST', '2026-06-15T09:30:41Z', 'CEST'],
      ['17. Aug. 2026, 22:14:48 MESZ', '2026-08-17T22:14:48Z', 'MESZ'],
      ['27.08.2026, 20:04:54 MESZ', '2026-08-27T20:04:54Z', 'MESZ'],
      ['3 ene 2026, 9:30:41 CET', '2026-01-03T09:30:41Z', 'CET'],
      ['17 Ağu 2026, 13:14:48 GMT+3', '2026-08-17T13:14:48Z', 'GMT+3'],
      ['17 Şub 2026, 13:14:48 GMT+3', '2026-02-17T13:14:48Z', 'GMT+3'],
      ['2026年7月30日 00:23:06 CEST', '2026-07-30T00:23:06Z', 'CEST'],
    ];
    for (const [text, wall, zone] of seen)
      expect(parseHtmlDate(text), text).toEqual({ wallTime: Date.parse(wall), zone });
    for (const text of [
      '30 Feb 2026, 10:00:00 CET',
      'Feb 30, 2026, 1:00:00 PM',
      '17 xyz 2026, 10:00:00',
      '23/07/2026، 4:20:22 م CEST',
      'Aug 17, 2026, 13:00:00 PM',
      '',
    ]) {
      expect(parseHtmlDate(text), text).toBeUndefined();
    }
    expect(['CEST', 'GMT+3', 'GMT-03:30', 'PST', 'CST', 'IST', 'BST'].map(offsetOf)).toEqual([
      120,
      180,
      -210,
      -480,
      undefined,
      undefined,
      undefined,
    ]);
    recordFigure(
      'R-061',
      `YouTube HTML: ${seen.length} shapes of dates in 6 languages exact, 6 impossible ones refused, ambiguous zones refused`,
    );
  });

  test('an ambiguous zone is refused until the host says which', async () => {
    const html = page(cell({ date: 'Aug 17, 2026, 1:14:48 PM IST' }));
    expect((await readHtml(html)).errors).toMatchObject([
      {
        code: 'file_parse_error',
        reason: 'ambiguous_time_zone',
        hint: expect.stringContaining('utcOffsetMinutes'),
        position: { record: 1 },
      },
    ]);
    expect((await readHtml(html, { utcOffsetMinutes: 330 })).items[0]?.consumedAt).toEqual(
      new Date('2026-08-17T07:44:48Z'),
    );
  });

  test('an unsupported language is named, with the way out', async () => {
    const { errors } = await readHtml(page(cell({ date: '23/07/2026، 4:20:22 م CEST' })));
    expect(errors).toMatchObject([
      { code: 'file_parse_error', reason: 'unsupported_language', hint: expect.stringContaining('JSON') },
    ]);
  });

  test('one damaged cell is told, the others are read', async () => {
    const { items, rejected } = await readHtml(
      page(cell(), cell({ date: 'never' }), cell({ date: 'Jan 16, 2026, 11:30:00 AM CET' })),
    );
    expect(items).toHaveLength(2);
    expect(rejected).toMatchObject([{ record: 2, reason: 'invalid_date' }]);
  });
});

describe('archives', () => {
  const history = JSON.stringify([watch()]);
  test.each([
    'Takeout/YouTube and YouTube Music/history/watch-history.json',
    'Takeout/YouTube en YouTube Music/geschiedenis/kijkgeschiedenis.json',
    'Takeout/YouTube und YouTube Music/Verlauf/Wiedergabeverlauf.json',
    'Takeout/YouTube y YouTube Music/historial/historial-de-reproducciones.json',
    'Takeout/YouTube وYouTube Music/السجلّ/سجل المشاهدة.json',
    'Takeout/YouTube ve YouTube Music/geçmiş/izleme geçmişi.json',
    'Takeout/YouTube 和 YouTube Music/历史记录/观看记录.json',
    'Takeout/YouTube et YouTube Music/historique/regarde.json',
    'Takeout/My Activity/YouTube/My Activity.json',
  ])('%s', async (name) => {
    const zip = makeZip([
      { name, content: history },
      { name: 'Takeout/archive_browser.html', content: '<html></html>' },
    ]);
    expect((await collectImport(importer, [fileOf('takeout.zip', zip)])).items).toHaveLength(1);
  });

  test('searches, comments and the like beside the history stay closed', async () => {
    const searches = JSON.stringify([
      watch({ title: 'Searched for knots', titleUrl: 'https://www.youtube.com/results?search_query=knots' }),
    ]);
    const folder = 'Takeout/YouTube and YouTube Music/history';
    const zip = makeZip([
      { name: `${folder}/watch-history.json`, content: history },
      { name: `${folder}/search-history.json`, content: searches },
      { name: 'Takeout/YouTube and YouTube Music/comments/comments.json', content: '{"comments":[]}' },
      { name: 'Takeout/Google Photos/metadata.json', content: '{}' },
    ]);
    expect(await collectImport(importer, [fileOf('takeout.zip', zip)])).toMatchObject({
      read: 1,
      errors: [],
      skipped: {},
    });
  });

  test('the wrong part of a split export says so', async () => {
    const zip = makeZip([{ name: 'Takeout/archive_browser.html', content: '<html></html>' }]);
    expect((await collectImport(importer, [fileOf('takeout-002.zip', zip)])).errors).toMatchObject([
      { reason: 'nothing_to_import', hint: expect.stringContaining('parts') },
    ]);
  });

  test('a paused history is an empty import', async () => {
    expect(await read('[]')).toMatchObject({ read: 0, errors: [] });
  });

  test.each([
    ['JSON that is no list', '{"a":1}', 'watch-history.json'],
    ['HTML without cells', '<html><body>YouTube</body></html>', 'watch-history.html'],
    ['an empty file', '', 'watch-history.json'],
  ])('%s is refused', async (_what, content, name) => {
    expect((await read(content, undefined, name)).errors).toMatchObject([
      { code: 'file_parse_error', position: { file: name } },
    ]);
  });
});

describe('conformance', () => {
  const at = (index: number) =>
    watch({
      time: `2026-01-15T10:${String(index + 10)}:00Z`,
      title: `Watched Knot ${index}`,
      locationInfos: [{ name: 'Rua da Ana 7', source: 'IP 192.0.2.9' }],
    });
  const rows = Array.from({ length: 20 }, (_, index) => at(index));
  const file = (from: number, to: number) => ({
    name: 'watch-history.json',
    content: JSON.stringify(rows.slice(from, to)),
  });
  const suite = fileImportConformance({
    provider: youtube(),
    exports: [
      file(0, 20),
      { name: 'watch-history.html', content: page(cell(), cell({ date: 'Jan 16, 2026, 11:30:00 AM CET' })) },
    ],
    withBadRecord: {
      name: 'watch-history.json',
      content: JSON.stringify([...rows, watch({ time: 'the day before' })]),
      badValue: 'the day before',
    },
    overlapping: [file(0, 12), file(8, 20)],
    personal: ['192.0.2.9', 'Rua da Ana'],
  });
  for (const { id, title, run } of suite) test(`${id} ${title}`, run);
});

test('JSON and HTML of one history are one set, whatever the order, and nothing hides', async () => {
  const json = fileOf(
    'watch-history.json',
    JSON.stringify([
      watch(),
      watch({
        time: '2026-01-16T10:30:00Z',
        title: 'Watched a video that has been removed',
        ...without('titleUrl', 'subtitles'),
      }),
    ]),
  );
  const html = fileOf(
    'watch-history.html',
    page(
      cell({ title: '<a href="https://www.youtube.com/watch?v=aaaaaaaaaaa">Zzz another title</a>' }),
      cell({ title: 'a video that has been removed', channel: '', date: 'Jan 16, 2026, 11:30:00 AM CET' }),
    ),
  );
  for (const order of [
    [json, html],
    [html, json],
  ]) {
    const registry = createRegistry({ providers: [youtube()], ...memory() });
    for (const file of order) await importFile(registry, { userId: 'ana', file });
    expect((await queryItems(registry, { userId: 'ana' })).items).toHaveLength(2);
  }
});
